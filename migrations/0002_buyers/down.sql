drop table buyers;
