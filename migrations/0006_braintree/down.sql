drop table braintree_transactions;
drop table braintree_subscriptions;
drop table braintree_payment_methods;
drop table braintree_buyers;
