-- class: irreversible
DROP TABLE orders;
DROP TABLE products;
