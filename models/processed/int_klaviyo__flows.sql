select
    id,
    updated,
    attributes.created as created,
    trim(attributes.name) as name,
    attributes.status as status,
    attributes.archived as archived,
    attributes.trigger_type as trigger_type,
    [(action).id for action in relationships.flow_actions.data] as action_ids,
    [(tag).id for tag in relationships.tags.data] as tag_ids,
    {{ airbyte_columns() }}
from {{ landing() }}
