{#-
  An event names the message it comes from (`$message`), a flow's also the flow; no event names its campaign, whose
  `message_ids` hold the message.
-#}
select
    id,
    datetime,
    attributes.uuid as uuid,
    relationships.profile.data.id as profile_id,
    relationships.metric.data.id as metric_id,
    [(attribution).id for attribution in relationships.attributions.data] as attribution_ids,
    {{ json_text('attributes.event_properties', '$message') }} as message_id,
    {{ json_text('attributes.event_properties', '$flow') }} as flow_id,
    {{ json_text('attributes.event_properties', '$attributed_message') }} as attributed_message_id,
    {{ json_text('attributes.event_properties', '$attributed_flow') }} as attributed_flow_id,
    {{ json_text('attributes.event_properties', '$attributed_channel') }} as attributed_channel,
    {{ json_text('attributes.event_properties', '$event_id') }} as event_key,
    {{ money(json_text('attributes.event_properties', '$value')) }} as value,
    {{ json_text('attributes.event_properties', '$value_currency') }} as value_currency,
    {{ json_text('attributes.event_properties', 'Campaign Name') }} as campaign_name,
    coalesce(try_cast({{ json_text('attributes.event_properties', 'machine_open') }} as boolean), false) as is_machine_open,
    coalesce(try_cast({{ json_text('attributes.event_properties', 'Bot Click') }} as boolean), false) as is_bot_click,
    {{ valid_json('attributes.event_properties') }} as event_properties,
    {{ json_trouble('attributes.event_properties') }} as event_properties_trouble,
    {{ airbyte_columns() }}
from {{ landing() }}
