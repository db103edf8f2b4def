//! Whole flows through the servers: in this process where that shows it, as real executables where only they do.

mod bad_input;
mod bad_input_routes;
mod books;
mod buyer;
mod card_number;
mod database_outage;
mod documentation;
mod drain;
mod encrypted_columns;
mod executables;
mod generic_api;
mod harness;
mod local_pair;
mod notice;
mod pair_in_process;
mod pin;
mod provider_faults;
mod purchase;
mod rotation;
mod schema;
mod secrets;
mod services;
mod settings_faults;
mod shop;
mod transaction_log;
mod transaction_log_cut_off;
