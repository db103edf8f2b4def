drop table api_clients;
