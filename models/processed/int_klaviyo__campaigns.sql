select
    id,
    updated_at,
    attributes.created_at as created_at,
    attributes.scheduled_at as scheduled_at,
    attributes.send_time as send_time,
    trim(attributes.name) as name,
    attributes.status as status,
    attributes.archived as archived,
    lower(attributes.channel) as channel,
    attributes.send_strategy.method as send_method,
    attributes.audiences.included as included_audience_ids,
    attributes.audiences.excluded as excluded_audience_ids,
    coalesce(
        [(message).id for message in relationships.campaign_messages.data],
        case when attributes.message is not null then [attributes.message] end
    ) as message_ids,
    [(tag).id for tag in relationships.tags.data] as tag_ids,
    {{ airbyte_columns() }}
from {{ landing() }}
