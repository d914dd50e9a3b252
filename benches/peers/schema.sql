DROP TABLE IF EXISTS product;
CREATE TABLE product(
    id bigint PRIMARY KEY, sku text NOT NULL, name text NOT NULL, category text NOT NULL,
    price numeric(12,2) NOT NULL CHECK (price >= 0), stock integer NOT NULL, updated_at timestamptz NOT NULL
);
