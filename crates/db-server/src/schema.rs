//! The tables, as the migrations make them.
#![expect(missing_docs, reason = "the columns are documented where they are made, in migrations/")]

diesel::table! {
    /// Who sells.
    sellers (id) {
        id -> BigInt,
        uuid -> Text,
        active -> Bool,
        created -> Timestamptz,
        modified -> Timestamptz,
        counter -> BigInt,
    }
}

diesel::table! {
    /// What is sold.
    products (id) {
        id -> BigInt,
        seller_id -> BigInt,
        external_id -> Text,
        public_id -> Text,
        secret -> Nullable<Text>,
        access -> SmallInt,
        created -> Timestamptz,
        modified -> Timestamptz,
        counter -> BigInt,
    }
}

diesel::table! {
    /// Who pays.
    buyers (id) {
        id -> BigInt,
        uuid -> Text,
        email -> Nullable<Text>,
        email_hash -> Nullable<Bytea>,
        locale -> Nullable<Text>,
        active -> Bool,
        authenticated -> Bool,
        pin -> Nullable<Text>,
        new_pin -> Nullable<Text>,
        needs_pin_reset -> Bool,
        pin_confirmed -> Bool,
        pin_failures -> Integer,
        pin_locked_out_at -> Nullable<Timestamptz>,
        pin_was_locked_out -> Bool,
        created -> Timestamptz,
        modified -> Timestamptz,
        counter -> BigInt,
    }
}

diesel::table! {
    /// Payments, refunds and reversals.
    transactions (id) {
        id -> BigInt,
        uuid -> Text,
        amount_minor -> Nullable<BigInt>,
        currency -> Nullable<Text>,
        buyer_id -> Nullable<BigInt>,
        seller_id -> Nullable<BigInt>,
        product_id -> Nullable<BigInt>,
        provider -> Nullable<SmallInt>,
        region -> Nullable<Text>,
        carrier -> Nullable<Text>,
        source -> Nullable<Text>,
        #[sql_name = "type"]
        type_ -> SmallInt,
        status -> SmallInt,
        status_reason -> Nullable<Text>,
        uid_pay -> Nullable<Text>,
        uid_support -> Nullable<Text>,
        pay_url -> Nullable<Text>,
        related_id -> Nullable<BigInt>,
        notes -> Nullable<Text>,
        created -> Timestamptz,
        modified -> Timestamptz,
        counter -> BigInt,
    }
}

diesel::table! {
    /// Who changed the status of a transaction, and when.
    transaction_events (id) {
        id -> BigInt,
        transaction_id -> BigInt,
        actor -> Text,
        old_status -> Nullable<SmallInt>,
        new_status -> SmallInt,
        status_reason -> Nullable<Text>,
        created -> Timestamptz,
    }
}

diesel::table! {
    /// Which transaction has been written to which report.
    transaction_log (id) {
        id -> BigInt,
        transaction_id -> BigInt,
        #[sql_name = "type"]
        type_ -> SmallInt,
        created -> Timestamptz,
    }
}

diesel::table! {
    /// Sellers that the reference provider knows.
    reference_sellers (id) {
        id -> BigInt,
        seller_id -> BigInt,
        reference_id -> Text,
        created -> Timestamptz,
        modified -> Timestamptz,
        counter -> BigInt,
    }
}

diesel::table! {
    /// Products that the reference provider knows.
    reference_products (id) {
        id -> BigInt,
        product_id -> BigInt,
        reference_seller_id -> BigInt,
        reference_id -> Text,
        created -> Timestamptz,
        modified -> Timestamptz,
        counter -> BigInt,
    }
}

diesel::table! {
    /// Sellers that Bango knows: its packages.
    bango_sellers (id) {
        id -> BigInt,
        seller_id -> BigInt,
        package_id -> BigInt,
        admin_person_id -> BigInt,
        support_person_id -> BigInt,
        finance_person_id -> BigInt,
        sbi_expires -> Nullable<Timestamptz>,
        created -> Timestamptz,
        modified -> Timestamptz,
        counter -> BigInt,
    }
}

diesel::table! {
    /// Products that Bango knows: its numbers.
    bango_products (id) {
        id -> BigInt,
        product_id -> BigInt,
        bango_seller_id -> BigInt,
        bango_id -> Text,
        created -> Timestamptz,
        modified -> Timestamptz,
        counter -> BigInt,
    }
}

diesel::table! {
    /// What a check of a product at Bango gave.
    bango_statuses (id) {
        id -> BigInt,
        bango_product_id -> BigInt,
        status -> SmallInt,
        errors -> Text,
        created -> Timestamptz,
        modified -> Timestamptz,
        counter -> BigInt,
    }
}

diesel::table! {
    /// Buyers that a provider knows: its customers.
    payment_customers (id) {
        id -> BigInt,
        buyer_id -> BigInt,
        provider -> SmallInt,
        provider_id -> Text,
        active -> Bool,
        created -> Timestamptz,
        modified -> Timestamptz,
        counter -> BigInt,
    }
}

diesel::table! {
    /// Payment methods that a provider keeps.
    payment_methods (id) {
        id -> BigInt,
        customer_id -> BigInt,
        provider -> SmallInt,
        token -> Text,
        token_hash -> Bytea,
        #[sql_name = "type"]
        type_ -> SmallInt,
        brand -> Nullable<Text>,
        last4 -> Nullable<Text>,
        expiry_month -> Nullable<SmallInt>,
        expiry_year -> Nullable<SmallInt>,
        active -> Bool,
        deleted -> Nullable<Timestamptz>,
        created -> Timestamptz,
        modified -> Timestamptz,
        counter -> BigInt,
    }
}

diesel::table! {
    /// Subscriptions that a provider charges.
    subscriptions (id) {
        id -> BigInt,
        payment_method_id -> BigInt,
        provider -> SmallInt,
        product_id -> Nullable<BigInt>,
        plan -> Text,
        provider_id -> Text,
        status -> SmallInt,
        stated -> Nullable<Timestamptz>,
        amount_minor -> Nullable<BigInt>,
        currency -> Nullable<Text>,
        active -> Bool,
        next_billing_date -> Nullable<Date>,
        created -> Timestamptz,
        modified -> Timestamptz,
        counter -> BigInt,
    }
}

diesel::table! {
    /// What a provider said about a transaction.
    provider_charges (id) {
        id -> BigInt,
        transaction_id -> BigInt,
        provider -> SmallInt,
        payment_method_id -> Nullable<BigInt>,
        subscription_id -> Nullable<BigInt>,
        kind -> Text,
        billing_period_start_date -> Nullable<Date>,
        billing_period_end_date -> Nullable<Date>,
        next_billing_date -> Nullable<Date>,
        next_billing_period_amount_minor -> Nullable<BigInt>,
        created -> Timestamptz,
        modified -> Timestamptz,
        counter -> BigInt,
        attempt -> Nullable<Uuid>,
    }
}

diesel::table! {
    /// What providers have posted.
    webhook_events (id) {
        id -> BigInt,
        provider -> SmallInt,
        event_id -> Text,
        kind -> Text,
        provider_kind -> Text,
        payload -> Text,
        received -> Timestamptz,
        applied -> Nullable<Timestamptz>,
    }
}

diesel::table! {
    /// What providers have been asked to change.
    payment_attempts (id) {
        id -> BigInt,
        attempt -> Uuid,
        buyer_id -> BigInt,
        provider -> SmallInt,
        operation -> Text,
        subject -> Text,
        request_hash -> Bytea,
        actor -> Text,
        outcome -> Nullable<Text>,
        provider_id -> Nullable<Text>,
        created -> Timestamptz,
        modified -> Timestamptz,
        counter -> BigInt,
    }
}

diesel::table! {
    /// Who may call this server.
    api_clients (id) {
        id -> BigInt,
        key -> Text,
        name -> Text,
        secret -> Nullable<Text>,
        bearer_hash -> Nullable<Bytea>,
        roles -> Array<Text>,
        active -> Bool,
        created -> Timestamptz,
        modified -> Timestamptz,
        counter -> BigInt,
    }
}

diesel::table! {
    /// People who log in.
    users (id) {
        id -> BigInt,
        name -> Text,
        password -> Text,
        roles -> Array<Text>,
        active -> Bool,
        failures -> Integer,
        locked_out_at -> Nullable<Timestamptz>,
        generation -> BigInt,
        created -> Timestamptz,
        modified -> Timestamptz,
        counter -> BigInt,
    }
}

diesel::table! {
    /// Where the door leads since it has been switched.
    door (id) {
        id -> SmallInt,
        url -> Nullable<Text>,
        actor -> Text,
        created -> Timestamptz,
        modified -> Timestamptz,
        counter -> BigInt,
    }
}

diesel::table! {
    /// What products cost, where the operator has said so.
    product_plans (product_id) {
        product_id -> BigInt,
        amount_minor -> Nullable<BigInt>,
        currency -> Text,
        recurring -> Bool,
        created -> Timestamptz,
        modified -> Timestamptz,
        counter -> BigInt,
    }
}

diesel::table! {
    /// Payments at whichever provider.
    payments (id) {
        id -> BigInt,
        uuid -> Uuid,
        transaction_id -> BigInt,
        provider -> SmallInt,
        seller_id -> BigInt,
        product_id -> BigInt,
        buyer_id -> Nullable<BigInt>,
        payment_method_id -> Nullable<BigInt>,
        amount_minor -> BigInt,
        currency -> Text,
        capture -> Bool,
        description -> Nullable<Text>,
        metadata -> Nullable<Text>,
        standing -> SmallInt,
        status -> SmallInt,
        captured_minor -> BigInt,
        refunded_minor -> BigInt,
        refunding_minor -> BigInt,
        closed -> Bool,
        provider_reference -> Nullable<Text>,
        checkout_reference -> Nullable<Text>,
        captures -> Array<Text>,
        next_action -> Nullable<Text>,
        refusal_code -> Nullable<Text>,
        refusal_message -> Nullable<Text>,
        decline_advice -> Nullable<Text>,
        created -> Timestamptz,
        modified -> Timestamptz,
        counter -> BigInt,
        settlement_declined_minor -> BigInt,
    }
}

diesel::table! {
    /// What providers have been asked about payments.
    payment_operations (id) {
        id -> BigInt,
        attempt -> Uuid,
        payment_id -> BigInt,
        operation -> SmallInt,
        amount_minor -> Nullable<BigInt>,
        before_minor -> BigInt,
        last -> Bool,
        state -> SmallInt,
        outcome -> Nullable<Text>,
        provider_reference -> Nullable<Text>,
        request -> Nullable<Text>,
        next_look -> Nullable<Timestamptz>,
        looks -> Integer,
        actor -> Text,
        created -> Timestamptz,
        modified -> Timestamptz,
        counter -> BigInt,
    }
}

diesel::table! {
    /// Refunds of payments.
    refunds (id) {
        id -> BigInt,
        uuid -> Uuid,
        payment_id -> BigInt,
        operation_id -> Nullable<BigInt>,
        transaction_id -> BigInt,
        provider -> SmallInt,
        amount_minor -> BigInt,
        standing -> SmallInt,
        provider_reference -> Nullable<Text>,
        refusal_code -> Nullable<Text>,
        created -> Timestamptz,
        modified -> Timestamptz,
        counter -> BigInt,
    }
}

diesel::table! {
    /// What clients have asked for under a key of theirs, and what they were answered.
    idempotency_keys (id) {
        id -> BigInt,
        client -> Text,
        route -> Text,
        key -> Text,
        body_hash -> Bytea,
        operation_id -> Nullable<BigInt>,
        leased_until -> Nullable<Timestamptz>,
        status -> Nullable<SmallInt>,
        body -> Nullable<Text>,
        created -> Timestamptz,
        answered -> Nullable<Timestamptz>,
    }
}

diesel::table! {
    /// Events without a position.
    unordered_events (id) {
        id -> BigInt,
        payment_id -> BigInt,
        kind -> Text,
        status -> Text,
        actor -> Text,
        payload -> Jsonb,
        created -> Timestamptz,
    }
}

diesel::table! {
    /// The position of the newest event.
    event_heads (id) {
        id -> SmallInt,
        last -> BigInt,
    }
}

diesel::table! {
    /// What has happened to payments.
    payment_events (id) {
        id -> BigInt,
        payment_id -> BigInt,
        kind -> Text,
        status -> Text,
        actor -> Text,
        payload -> Jsonb,
        created -> Timestamptz,
    }
}

diesel::table! {
    /// Who is told of events.
    webhook_endpoints (id) {
        id -> BigInt,
        name -> Text,
        enabled -> Bool,
        kinds -> Array<Text>,
        position -> BigInt,
        actor -> Text,
        failures -> Integer,
        failing_since -> Nullable<Timestamptz>,
        next_attempt -> Nullable<Timestamptz>,
        last_error -> Nullable<Text>,
        disabled_reason -> Nullable<Text>,
        lease -> Nullable<Uuid>,
        leased_until -> Nullable<Timestamptz>,
        created -> Timestamptz,
        modified -> Timestamptz,
        counter -> BigInt,
    }
}

diesel::table! {
    /// The end of each chain of the ledger.
    ledger_chains (chain) {
        chain -> SmallInt,
        position -> BigInt,
        hash -> Bytea,
    }
}

diesel::table! {
    /// Events that an endpoint is to be told again.
    webhook_replays (id) {
        id -> BigInt,
        endpoint_id -> BigInt,
        event_id -> BigInt,
        created -> Timestamptz,
    }
}

diesel::table! {
    /// The ledger.
    ledger_entries (chain, position) {
        chain -> SmallInt,
        position -> BigInt,
        set_position -> BigInt,
        account -> Text,
        provider -> SmallInt,
        seller_id -> BigInt,
        payment_id -> BigInt,
        refund_id -> Nullable<BigInt>,
        movement -> SmallInt,
        amount_minor -> BigInt,
        currency -> Text,
        reference -> Nullable<Text>,
        created -> Timestamptz,
        previous_hash -> Bytea,
        hash -> Bytea,
    }
}

diesel::table! {
    /// What the entries of each chain add up to.
    ledger_balances (chain, account, currency) {
        chain -> SmallInt,
        account -> Text,
        currency -> Text,
        balance_minor -> BigInt,
    }
}

diesel::table! {
    /// What the nightly comparison of our books with the providers' lists came to.
    reconciliations (id) {
        id -> BigInt,
        provider -> SmallInt,
        day -> Date,
        state -> SmallInt,
        held_until -> Nullable<Timestamptz>,
        tries -> Integer,
        agreed -> BigInt,
        missing -> BigInt,
        extra -> BigInt,
        wrong_amount -> BigInt,
        open -> BigInt,
        rows -> Nullable<Text>,
        failure -> Nullable<Text>,
        created -> Timestamptz,
        modified -> Timestamptz,
    }
}

diesel::joinable!(products -> sellers (seller_id));
diesel::joinable!(product_plans -> products (product_id));
diesel::joinable!(transactions -> sellers (seller_id));
diesel::joinable!(transactions -> products (product_id));
diesel::joinable!(transactions -> buyers (buyer_id));
diesel::joinable!(transaction_events -> transactions (transaction_id));
diesel::joinable!(transaction_log -> transactions (transaction_id));
diesel::joinable!(reference_sellers -> sellers (seller_id));
diesel::joinable!(reference_products -> products (product_id));
diesel::joinable!(reference_products -> reference_sellers (reference_seller_id));
diesel::joinable!(bango_sellers -> sellers (seller_id));
diesel::joinable!(bango_products -> products (product_id));
diesel::joinable!(bango_products -> bango_sellers (bango_seller_id));
diesel::joinable!(bango_statuses -> bango_products (bango_product_id));
diesel::joinable!(payment_customers -> buyers (buyer_id));
diesel::joinable!(payment_methods -> payment_customers (customer_id));
diesel::joinable!(subscriptions -> payment_methods (payment_method_id));
diesel::joinable!(subscriptions -> products (product_id));
diesel::joinable!(provider_charges -> transactions (transaction_id));
diesel::joinable!(provider_charges -> payment_methods (payment_method_id));
diesel::joinable!(provider_charges -> subscriptions (subscription_id));
diesel::joinable!(payment_attempts -> buyers (buyer_id));
diesel::joinable!(payments -> transactions (transaction_id));
diesel::joinable!(payment_operations -> payments (payment_id));
diesel::joinable!(refunds -> payments (payment_id));
diesel::joinable!(idempotency_keys -> payment_operations (operation_id));
diesel::joinable!(payment_events -> payments (payment_id));
diesel::joinable!(webhook_replays -> webhook_endpoints (endpoint_id));
diesel::joinable!(webhook_replays -> payment_events (event_id));

diesel::allow_tables_to_appear_in_same_query!(
    sellers,
    products,
    product_plans,
    buyers,
    transactions,
    transaction_events,
    transaction_log,
    reference_sellers,
    reference_products,
    bango_sellers,
    bango_products,
    bango_statuses,
    payment_customers,
    payment_methods,
    subscriptions,
    provider_charges,
    webhook_events,
    payment_attempts,
    payments,
    payment_operations,
    refunds,
    idempotency_keys,
    unordered_events,
    event_heads,
    payment_events,
    webhook_endpoints,
    webhook_replays,
    ledger_chains,
    ledger_entries,
    ledger_balances,
    api_clients,
    users,
    door,
);
