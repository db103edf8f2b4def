drop table products;
drop table sellers;
