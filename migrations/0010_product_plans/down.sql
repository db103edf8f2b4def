alter table provider_charges drop column attempt;
drop table product_plans;
