drop table webhook_replays;
drop table webhook_endpoints;
drop table payment_events;
drop table event_heads;
drop function payment_events_refuse_change;
