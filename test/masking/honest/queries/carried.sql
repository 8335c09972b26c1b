-- masks: email
SELECT id, name, email FROM customers ORDER BY id LIMIT 5;
-- masks: email, phone, born
SELECT * FROM customers ORDER BY id LIMIT 5;
-- masks: email, phone, born
SELECT * FROM vip_customers ORDER BY id;
-- masks: email
SELECT c.email FROM customers c WHERE c.city = 'Oslo' ORDER BY c.id;
-- masks: email
SELECT o.id, c.email FROM orders o JOIN customers c ON c.id = o.customer_id WHERE o.placed < '2025-01-20' ORDER BY o.id;
-- masks: email, phone
SELECT o.id, c.name, c.email, c.phone, t.net FROM orders o JOIN customers c ON c.id = o.customer_id JOIN order_totals t ON t.id = o.id ORDER BY t.net DESC, o.id LIMIT 5;
-- masks: mail
SELECT id, email AS mail FROM customers ORDER BY id LIMIT 3;
-- masks: email, phone
SELECT * FROM contacts ORDER BY id LIMIT 5;
-- masks: email
SELECT * FROM german_contacts ORDER BY id;
-- masks: email
SELECT * FROM everyone WHERE id < 4 ORDER BY kind, id;
-- masks: salary
SELECT id, name, salary FROM employees ORDER BY id LIMIT 5;
-- masks: email, salary
SELECT e.*, s.name AS store FROM employees e JOIN stores s ON s.id = e.store_id ORDER BY e.id LIMIT 3;
-- masks: salary
SELECT e.name, e.salary, m.name AS manager FROM employees e LEFT JOIN employees m ON m.id = e.manager_id ORDER BY e.id LIMIT 5;
-- masks: card
SELECT id, order_id, method, amount, card FROM payments ORDER BY id LIMIT 6;
-- masks: card
SELECT o.id, p.card FROM orders o LEFT JOIN payments p ON p.order_id = o.id ORDER BY o.id LIMIT 8;
-- masks: ip
SELECT at, kind, ip FROM events ORDER BY at LIMIT 4;
-- masks: ip
SELECT at, ip FROM events_2026 ORDER BY at LIMIT 4;
-- masks: email
SELECT q.email, q.id FROM (SELECT id, email FROM customers WHERE id < 5) q ORDER BY q.id;
-- masks: email
WITH recent AS (SELECT id, email FROM customers WHERE signed_up > '2025-06-01') SELECT * FROM recent ORDER BY id;
-- masks: email
WITH recent AS MATERIALIZED (SELECT id, email FROM customers), n AS (SELECT customer_id, count(*) AS orders FROM orders GROUP BY 1) SELECT r.id, r.email, n.orders FROM recent r JOIN n ON n.customer_id = r.id ORDER BY n.orders DESC, r.id LIMIT 5;
-- masks: email
SELECT id, email FROM customers WHERE id < 3 UNION ALL SELECT id, email FROM employees WHERE id < 3;
-- masks: contact
SELECT id, (SELECT c.email FROM customers c WHERE c.id = o.customer_id) AS contact FROM orders o ORDER BY id LIMIT 4;
-- masks: email
SELECT c.id, c.email, x.n FROM customers c, LATERAL (SELECT count(*) AS n FROM orders o WHERE o.customer_id = c.id) x ORDER BY x.n DESC, c.id LIMIT 4;
-- masks: email
SELECT c.id, e.email FROM customers c CROSS JOIN LATERAL (SELECT c.email) e ORDER BY c.id LIMIT 4;
-- masks: email
SELECT email, row_number() OVER (ORDER BY signed_up, id) FROM customers ORDER BY id LIMIT 4;
-- masks: email
SELECT DISTINCT ON (c.city) c.city, c.name, c.email FROM customers c ORDER BY c.city, c.id;
-- masks: b
SELECT a, b FROM (SELECT id, email FROM customers) AS t (a, b) ORDER BY a LIMIT 3;
-- masks: email
SELECT email::text FROM customers ORDER BY id LIMIT 3;
-- masks: email
SELECT c.email::varchar, c.id FROM customers c ORDER BY c.id LIMIT 3;
-- masks: email, phone
SELECT k.email, k.phone FROM contacts k JOIN german_contacts g ON g.id = k.id ORDER BY k.id LIMIT 3;
-- masks: born
SELECT id, born, signed_up FROM customers WHERE id BETWEEN 5 AND 9 ORDER BY id;
-- masks: email
WITH RECURSIVE up AS (SELECT id, manager_id, email FROM employees WHERE id = 25 UNION ALL SELECT e.id, e.manager_id, e.email FROM employees e JOIN up ON e.id = up.manager_id) SELECT id, email FROM up;
-- masks: email
SELECT c.id, c.email FROM customers c WHERE EXISTS (SELECT 1 FROM orders o WHERE o.customer_id = c.id AND o.status = 'returned') ORDER BY c.id LIMIT 5;
-- masks: email
SELECT c.id, c.email FROM customers c WHERE c.tags @> '{vip}' AND c.attrs -> 'tier' = '9' ORDER BY c.id;
-- masks: email
SELECT c.name, c.email, p.name AS product FROM customers c JOIN reviews r ON r.customer_id = c.id JOIN products p ON p.id = r.product_id WHERE r.stars = 1 ORDER BY r.id LIMIT 5;
-- masks: email
SELECT c.id, c.email FROM ONLY customers c ORDER BY c.id DESC LIMIT 3;
-- masks: email
SELECT id, name, email FROM customers FETCH FIRST 4 ROWS ONLY;
-- masks: email
SELECT v.email, v.discount FROM customers c JOIN vip_customers v USING (id) ORDER BY v.id;
-- masks: email
SELECT c.email, o.* FROM customers c JOIN orders o ON o.customer_id = c.id WHERE o.status = 'shipped' ORDER BY o.id LIMIT 4;
-- masks: email
SELECT CASE WHEN c.id > 3 THEN 'late' ELSE 'early' END AS kind, c.email FROM customers c ORDER BY c.id LIMIT 5;
