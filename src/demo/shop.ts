/**
 * A small shop, the same at every start: what the demo's PostgreSQL is filled with, and the list of values that must
 * never reach an agent. All people, addresses, cards and numbers are invented; cards pass Luhn so that detectors see
 * what they would see in earnest.
 */
export interface Shop {
  /** Statements that make and fill the tables, to be run in order by their owner. */
  readonly statements: readonly string[];
  /** Every planted value that policy hides: e-mails, phones, national ids, card numbers; also those inside notes. */
  readonly secrets: readonly string[];
  readonly counts: { readonly customers: number; readonly orders: number; readonly products: number };
}

const CUSTOMERS = 120;
const ORDERS = 260;
const FIRST = [
  'Maya',
  'Jonas',
  'Priya',
  'Tomás',
  'Aiko',
  'Lena',
  'Omar',
  'Grace',
  'Mateo',
  'Ingrid',
  'Noor',
  'Felix',
];
const LAST = [
  'Okafor',
  'Lindqvist',
  'Raman',
  'Álvarez',
  'Sato',
  'Vogel',
  'Haddad',
  "O'Neill",
  'Rossi',
  'Dahl',
];
const DOMAINS = ['example.com', 'example.org', 'mail.example', 'post.example'];
const PRODUCTS = [
  'Kettle',
  'Desk lamp',
  'Notebook',
  'Backpack',
  'Headphones',
  'Bicycle bell',
  'Teapot',
  'Blanket',
];
const STATUSES = ['open', 'paid', 'shipped', 'returned'];

const SCHEMA = `
CREATE TABLE products (id integer PRIMARY KEY, name text NOT NULL, price_cents integer NOT NULL);
CREATE TABLE customers (
  id integer PRIMARY KEY, name text NOT NULL, email text NOT NULL, phone text NOT NULL, ssn text NOT NULL,
  city text NOT NULL, note text);
CREATE TABLE orders (
  id integer PRIMARY KEY, customer_id integer NOT NULL REFERENCES customers, product_id integer NOT NULL
  REFERENCES products, status text NOT NULL, ordered_on date NOT NULL);
CREATE TABLE payments (
  id integer PRIMARY KEY, order_id integer NOT NULL REFERENCES orders, card text NOT NULL,
  amount_cents integer NOT NULL);`;

/**
 * Makes the shop's SQL and its list of secrets.
 *
 * @returns Always the same values: a fixed generator, no clock. Never throws.
 */
export function makeShop(): Shop {
  const random = generator(20_240_607);
  const secrets: string[] = [];
  const plant = (value: string) => {
    secrets.push(value);
    return value;
  };
  const customers = Array.from({ length: CUSTOMERS }, (_, i) => customer(i + 1, random, plant));
  const products = PRODUCTS.map((name, i) => [i + 1, name, 900 + i * 725]);
  const orders = Array.from({ length: ORDERS }, (_, i) => order(i + 1, random));
  const payments = orders.map((row, i) => [
    i + 1,
    row[0] ?? 0,
    plant(cardNumber(random)),
    900 + random(90) * 100,
  ]);
  return {
    statements: [
      ...SCHEMA.trim().split(/;\s*/).filter(Boolean),
      insert('products', products),
      insert('customers', customers),
      insert('orders', orders),
      insert('payments', payments),
      'ANALYZE',
    ],
    secrets: [...new Set(secrets)],
    counts: { customers: CUSTOMERS, orders: ORDERS, products: PRODUCTS.length },
  };
}

type Cell = string | number | null;
type Random = (below: number) => number;

/** Park and Miller's generator: good enough for invented names, and the same everywhere. */
function generator(seed: number): Random {
  let state = seed;
  return (below) => {
    state = (state * 48_271) % 2_147_483_647;
    return state % below;
  };
}

function customer(id: number, random: Random, plant: (value: string) => string): Cell[] {
  const first = FIRST[random(FIRST.length)] ?? 'Maya';
  const last = LAST[random(LAST.length)] ?? 'Sato';
  const user = `${first}.${last}`
    .normalize('NFD')
    .replace(/[^a-zA-Z.]/g, '')
    .toLowerCase();
  const email = plant(`${user}${id}@${DOMAINS[random(DOMAINS.length)]}`);
  const phone = plant(`+1 202 555 ${digits(random, 4)}`);
  const ssn = plant(`${100 + random(560)}-${10 + random(89)}-${1000 + random(8999)}`);
  const city = ['Lisbon', 'Oslo', 'Pune', 'Kyoto', 'Bremen'][random(5)] ?? 'Oslo';
  return [id, `${first} ${last}`, email, phone, ssn, city, note(id, random, plant)];
}

/** Free text as support staff write it: nobody classified this column, so only a detector can find what is in it. */
function note(id: number, random: Random, plant: (value: string) => string): Cell {
  switch (id % 4) {
    case 0:
      return `Asked to be written to at ${plant(`second.address${id}@example.net`)} instead.`;
    case 1:
      return `Read out card ${plant(cardNumber(random).replace(/(....)(?=.)/g, '$1 '))} on the phone; told not to.`;
    case 2:
      return 'Prefers delivery in the evening.';
    default:
      return null;
  }
}

function order(id: number, random: Random): Cell[] {
  const day = new Date(Date.UTC(2024, 0, 1 + random(300))).toISOString().slice(0, 10);
  return [
    id,
    1 + random(CUSTOMERS),
    1 + random(PRODUCTS.length),
    STATUSES[random(STATUSES.length)] ?? 'open',
    day,
  ];
}

function digits(random: Random, count: number): string {
  return Array.from({ length: count }, () => random(10)).join('');
}

/** Sixteen digits that pass Luhn (ISO/IEC 7812-1, annex B), in a range that belongs to test cards. */
function cardNumber(random: Random): string {
  const body = `4000${digits(random, 11)}`;
  const sum = [...body].reduce((total, char, i) => {
    const digit = Number(char) * (i % 2 === 0 ? 2 : 1);
    return total + (digit > 9 ? digit - 9 : digit);
  }, 0);
  return body + ((10 - (sum % 10)) % 10);
}

function insert(table: string, rows: readonly (readonly Cell[])[]): string {
  const literal = (cell: Cell) =>
    typeof cell === 'string' ? `'${cell.replaceAll("'", "''")}'` : String(cell ?? 'NULL');
  return `INSERT INTO ${table} VALUES\n${rows.map((row) => `(${row.map(literal).join(', ')})`).join(',\n')}`;
}
