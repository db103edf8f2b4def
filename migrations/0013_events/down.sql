drop function order_events;
drop table webhook_replays;
drop table webhook_endpoints;
drop table payment_events;
drop table event_heads;
drop table unordered_events;
drop function payment_events_refuse_change;
