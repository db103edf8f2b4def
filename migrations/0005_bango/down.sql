drop table bango_statuses;
drop table bango_products;
drop table bango_sellers;
