/**
 * Lets Node's tools look at a database, each as its users have it do.
 *
 * introspect.mjs FOLDER TOOL: the folder holds the packages; where the database is, libpq's variables say.
 */
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';

const [folder, tool] = process.argv.slice(2);
const load = createRequire(`${folder}/package.json`);
const { PGHOST: host, PGPORT: port, PGUSER: user, PGDATABASE: database } = process.env;
const [CHAR_OID, TEXT_OID] = [18, 25];
const TOOLS = { kysely, typeorm, sequelize, knex, graphile, extract, prisma };

async function kysely() {
  const { Kysely, PostgresDialect, sql } = load('kysely');
  const db = new Kysely({ dialect: new PostgresDialect({ pool: new (load('pg').Pool)() }) });
  await db.introspection.getSchemas();
  await db.introspection.getTables({ withInternalKyselyTables: true });
  await db
    .selectFrom('customers as c')
    .innerJoin('orders as o', 'o.customer', 'c.id')
    .select(({ fn }) => ['c.id', fn.sum('o.total').as('total'), sql`lower(${sql.ref('c.name')})`.as('lower')])
    .where('c.email', 'ilike', '%a%')
    .groupBy(['c.id', 'c.name'])
    .orderBy('total', 'desc')
    .limit(5)
    .execute();
  await db.destroy();
}

async function typeorm() {
  load('reflect-metadata');
  const { DataSource, EntitySchema } = load('typeorm');
  const Author = new EntitySchema({
    name: 'typeorm_author',
    columns: {
      id: { type: Number, primary: true, generated: true },
      name: { type: String, unique: true },
      tags: { type: 'text', array: true, default: [] },
      extra: { type: 'jsonb', nullable: true },
    },
    relations: { books: { type: 'one-to-many', target: 'typeorm_book', inverseSide: 'author' } },
  });
  const Book = new EntitySchema({
    name: 'typeorm_book',
    columns: {
      id: { type: 'uuid', primary: true, generated: 'uuid' },
      title: { type: String },
      price: { type: 'numeric', nullable: true },
    },
    relations: { author: { type: 'many-to-one', target: 'typeorm_author', joinColumn: true } },
  });
  const source = new DataSource({
    type: 'postgres',
    ...{ host, port: Number(port), username: user, database },
    entities: [Author, Book],
    synchronize: true,
  });
  await source.initialize();
  await source.synchronize();
  const runner = source.createQueryRunner();
  await runner.getTables(['public.orders', 'public.items']);
  await runner.getDatabases();
  await runner.getSchemas();
  await runner.release();
  const authors = source.getRepository('typeorm_author');
  const [author] = await authors.save([{ name: 'Ann', tags: ['a'] }, { name: 'Bob' }]);
  await source.getRepository('typeorm_book').save({ title: 'One', price: 5, author });
  await authors.find({ relations: { books: true }, order: { name: 'ASC' }, take: 5, skip: 1 });
  await authors
    .createQueryBuilder('a')
    .leftJoinAndSelect('a.books', 'b', 'b.price > :price', { price: 1 })
    .where('a.tags && :tags', { tags: ['a'] })
    .getManyAndCount();
  await authors.upsert({ name: 'Ann', extra: {} }, ['name']);
  await authors.update({ name: 'Bob' }, { extra: { b: 1 } });
  await authors.delete({ name: 'Bob' });
  await source.destroy();
}

async function sequelize() {
  const { Sequelize, DataTypes, Op } = load('sequelize');
  const db = new Sequelize(database, user, '', {
    host,
    port: Number(port),
    dialect: 'postgres',
    logging: false,
  });
  const Author = db.define('sequelize_author', {
    name: { type: DataTypes.STRING, unique: true },
    mood: DataTypes.ENUM('sad', 'ok'),
    tags: DataTypes.ARRAY(DataTypes.TEXT),
    extra: DataTypes.JSONB,
  });
  const Book = db.define('sequelize_book', {
    title: DataTypes.TEXT,
    days: DataTypes.RANGE(DataTypes.DATEONLY),
  });
  Author.hasMany(Book);
  Book.belongsTo(Author);
  await db.sync({ alter: true });
  await db.sync({ alter: true });
  const queries = db.getQueryInterface();
  await queries.showAllSchemas();
  for (const table of ['customers', 'orders', 'items']) {
    await queries.describeTable(table);
    await queries.showIndex(table);
    await queries.getForeignKeyReferencesForTable(table);
    await queries.showConstraint(table);
  }
  const ann = await Author.create({ name: 'Ann', mood: 'ok', tags: ['a'], extra: { a: { b: 1 } } });
  await ann.createSequelize_book({ title: 'One' });
  await Author.findAndCountAll({
    include: Book,
    where: { 'extra.a.b': 1, tags: { [Op.contains]: ['a'] }, name: { [Op.iLike]: 'a%' } },
    limit: 5,
  });
  await Author.findOrCreate({ where: { name: 'Bob' } });
  await Author.upsert({ name: 'Ann', mood: 'sad' });
  await Author.increment({ id: 0 }, { where: { name: 'Ann' } });
  await Book.destroy({ where: {} });
  await db.close();
}

async function knex() {
  const { SchemaInspector } = load('knex-schema-inspector');
  const db = load('knex')({ client: 'pg', connection: { host, port: Number(port), user, database } });
  const inspector = (SchemaInspector ?? load('knex-schema-inspector').default)(db);
  for (const table of await inspector.tables()) {
    await inspector.tableInfo(table);
    await inspector.columnInfo(table);
    await inspector.primary(table);
    await inspector.foreignKeys(table);
  }
  await db.schema.hasTable('customers');
  await db('customers').columnInfo();
  await db.destroy();
}

/** What a GraphQL server asks of a whole database at its start. */
async function graphile() {
  const { makeIntrospectionQuery } = load('pg-introspection');
  const client = new (load('pg').Client)();
  await client.connect();
  await client.query(makeIntrospectionQuery());
  await client.end();
}

async function extract() {
  const { extractSchemas } = load('extract-pg-schema');
  await extractSchemas({ host, port: Number(port), user, database });
}

/** Prisma's own schema engine, which npm has as WebAssembly: `prisma db pull`, `db push` and `migrate status`. */
async function prisma() {
  const bindings = await import(load.resolve('@prisma/schema-engine-wasm/schema_engine_bg'));
  const wasm = load.resolve('@prisma/schema-engine-wasm/schema_engine_bg').replace(/\.js$/, '.wasm');
  const { instance } = await WebAssembly.instantiate(readFileSync(wasm), {
    './schema_engine_bg.js': bindings,
  });
  bindings.__wbg_set_wasm(instance.exports);
  instance.exports.__wbindgen_start();
  const { PrismaPg } = load('@prisma/adapter-pg');
  const pool = new (load('pg').Pool)({ host, port: Number(port), user, database });
  const query = pool.query.bind(pool);
  const chars = new WeakMap();
  // The driver's adapter does not know the type "char", which the engine itself reads.
  pool.query = async (asked) => {
    const answer = await query(asked);
    chars.set(
      answer.rows,
      answer.fields.map(({ dataTypeID }) => dataTypeID === CHAR_OID),
    );
    for (const field of answer.fields) if (field.dataTypeID === CHAR_OID) field.dataTypeID = TEXT_OID;
    return answer;
  };
  const { bindMigrationAwareSqlAdapterFactory, ColumnTypeEnum } = load('@prisma/driver-adapter-utils');
  const adapter = () => {
    const factory = new PrismaPg(pool);
    const connect = factory.connect.bind(factory);
    factory.connect = async () => {
      const connection = await connect();
      const queryRaw = connection.queryRaw.bind(connection);
      connection.queryRaw = async (asked) => {
        const answer = await queryRaw(asked);
        const isChar = (index) => chars.get(answer.rows)?.[index];
        const columnTypes = answer.columnTypes.map((type, at) =>
          isChar(at) ? ColumnTypeEnum.Character : type,
        );
        return { ...answer, columnTypes };
      };
      return connection;
    };
    return bindMigrationAwareSqlAdapterFactory(factory);
  };
  const source = (schemas) => `datasource db {
    provider = "postgresql"
    schemas = [${schemas.map((one) => `"${one}"`).join(', ')}]
  }`;
  const file = (content) => ({ files: [{ path: 'schema.prisma', content }] });
  const model = `${source(['prisma'])}
    model Author {
      id Int @id @default(autoincrement())
      name String @unique
      tags String[]
      extra Json?
      mood Mood @default(OK)
      books Book[]
      @@schema("prisma")
    }
    model Book {
      id String @id @default(uuid())
      title String
      price Decimal?
      author Author @relation(fields: [authorId], references: [id])
      authorId Int
      @@index([title, price])
      @@schema("prisma")
    }
    enum Mood {
      SAD
      OK
      @@schema("prisma")
    }`;
  const engine = async (content) =>
    bindings.SchemaEngine.new({ datamodels: [['schema.prisma', content]] }, () => undefined, adapter());
  const pull = { baseDirectoryPath: '/', force: true, compositeTypeDepth: -1, namespaces: null };
  await (await engine(source(['public']))).introspect({ ...pull, schema: file(source(['public'])) });
  const pushing = await engine(model);
  await pushing.version();
  const filters = { externalTables: [], externalEnums: [] };
  for (const content of [model, model.replace('price Decimal?', 'price Float @default(0)'), model])
    await pushing.schemaPush({ force: true, schema: file(content), filters });
  const none = { path: 'migration_lock.toml', content: null };
  const migrationsList = { baseDir: '/', lockfile: none, shadowDbInitScript: '', migrationDirectories: [] };
  await pushing.diagnoseMigrationHistory({ migrationsList, optInToShadowDatabase: false, filters });
  process.exit(0);
}

await TOOLS[tool]();
