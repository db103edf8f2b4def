drop table reference_products;
drop table reference_sellers;
