//! Whole flows through the servers: in this process where that shows it, as real executables where only they do.

mod api_clients;
mod bad_input;
mod buyer;
mod cache;
mod card_number;
mod database_outage;
mod documentation;
mod drain;
mod executables;
mod generic_api;
mod harness;
mod local_pair;
mod log_lines;
mod notice;
mod pair_in_process;
mod pin;
mod pressure;
mod provider_faults;
mod purchase;
mod redis_outage;
mod schema;
mod secrets;
mod settings_faults;
mod shop;
mod tls;
