select
    id,
    updated,
    attributes.created as created,
    trim(attributes.name) as name,
    attributes.opt_in_process as opt_in_process,
    [(tag).id for tag in relationships.tags.data] as tag_ids,
    {{ airbyte_columns() }}
from {{ landing() }}
