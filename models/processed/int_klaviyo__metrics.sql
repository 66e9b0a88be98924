select
    id,
    updated,
    attributes.created as created,
    trim(attributes.name) as name,
    {{ json_text('attributes.integration', 'id') }} as integration_id,
    {{ json_text('attributes.integration', 'name') }} as integration_name,
    {{ json_text('attributes.integration', 'category') }} as integration_category,
    relationships.flow_triggers.data.id as flow_trigger_id,
    {{ airbyte_columns() }}
from {{ landing() }}
