drop table door;
drop table users;
