import java.io.StringReader;
import java.io.StringWriter;
import java.sql.*;
import java.util.Properties;
import org.postgresql.PGConnection;
import org.postgresql.PGStatement;
import org.postgresql.copy.CopyManager;

/** What applications do with JDBC. Arguments: url user password. Prints "fine", or ends with an exception. */
public class Jdbc {
  static void check(boolean holds, String what) {
    if (!holds) throw new AssertionError(what);
  }

  static Connection connect(String[] args, String... more) throws SQLException {
    Properties properties = new Properties();
    properties.setProperty("user", args[1]);
    properties.setProperty("password", args[2]);
    for (int i = 0; i < more.length; i += 2) properties.setProperty(more[i], more[i + 1]);
    return DriverManager.getConnection(args[0], properties);
  }

  public static void main(String[] args) throws Exception {
    try (Connection c = connect(args)) {
      try (Statement s = c.createStatement()) {
        s.execute("drop table if exists jdbc_t");
        s.execute("create table jdbc_t (id serial primary key, name text, at timestamptz default now(), n numeric(10,2))");
      }
      serverPrepared(c);
      batches(c);
      generatedKeys(c);
      cursor(c);
      copy(c);
      metadata(c);
      errors(c);
      cancel(c);
    }
    for (String mode : new String[] {"simple", "extended", "extendedForPrepared", "extendedCacheEverything"}) {
      try (Connection c = connect(args, "preferQueryMode", mode); PreparedStatement p = c.prepareStatement("select ?::int + 1, ?::text")) {
        for (int i = 0; i < 7; i++) {
          p.setInt(1, i);
          p.setString(2, "it's " + i);
          try (ResultSet r = p.executeQuery()) {
            check(r.next() && r.getInt(1) == i + 1 && r.getString(2).equals("it's " + i), mode);
          }
        }
      }
    }
    try (Connection c = connect(args, "reWriteBatchedInserts", "true", "binaryTransfer", "true", "prepareThreshold", "1")) {
      batches(c);
    }
    System.out.println("fine");
  }

  /** After five executions the driver names the statement and asks for binary results. */
  static void serverPrepared(Connection c) throws SQLException {
    try (PreparedStatement p = c.prepareStatement("select ?::int8 * 2 as n, now() as at, '{1,2}'::int[] as list")) {
      for (int i = 0; i < 12; i++) {
        p.setLong(1, i);
        try (ResultSet r = p.executeQuery()) {
          check(r.next() && r.getLong("n") == 2L * i && r.getTimestamp("at") != null, "server-prepared");
          check(((Integer[]) r.getArray("list").getArray())[1] == 2, "array");
        }
      }
      check(p.unwrap(PGStatement.class).isUseServerPrepare(), "not prepared at the server");
    }
  }

  static void batches(Connection c) throws SQLException {
    c.setAutoCommit(false);
    try (PreparedStatement p = c.prepareStatement("insert into jdbc_t (name, n) values (?, ?)")) {
      for (int i = 0; i < 500; i++) {
        p.setString(1, "row " + i);
        p.setBigDecimal(2, new java.math.BigDecimal(i + ".25"));
        p.addBatch();
      }
      check(p.executeBatch().length == 500, "batch");
    }
    c.commit();
    c.setAutoCommit(true);
  }

  static void generatedKeys(Connection c) throws SQLException {
    try (PreparedStatement p = c.prepareStatement("insert into jdbc_t (name) values (?)", Statement.RETURN_GENERATED_KEYS)) {
      p.setString(1, "keyed");
      check(p.executeUpdate() == 1, "insert");
      try (ResultSet keys = p.getGeneratedKeys()) {
        check(keys.next() && keys.getInt("id") > 0, "generated key");
      }
    }
  }

  /** With a fetch size, in a transaction: a portal that is suspended and resumed. */
  static void cursor(Connection c) throws SQLException {
    c.setAutoCommit(false);
    try (PreparedStatement p = c.prepareStatement("select g from generate_series(1, ?) g")) {
      p.setFetchSize(70);
      p.setInt(1, 1000);
      for (int round = 0; round < 7; round++) {
        int rows = 0;
        try (ResultSet r = p.executeQuery()) {
          while (r.next()) check(r.getInt(1) == ++rows, "cursor");
        }
        check(rows == 1000, "cursor rows");
      }
    }
    Savepoint point = c.setSavepoint("here");
    try (Statement s = c.createStatement()) {
      s.execute("select 1/0");
      check(false, "no error");
    } catch (SQLException e) {
      check(e.getSQLState().equals("22012"), "division: " + e.getSQLState());
    }
    c.rollback(point);
    c.commit();
    c.setAutoCommit(true);
  }

  static void copy(Connection c) throws Exception {
    CopyManager manager = c.unwrap(PGConnection.class).getCopyAPI();
    check(manager.copyIn("copy jdbc_t (name) from stdin", new StringReader("eins\nzwei\n")) == 2, "copy in");
    StringWriter out = new StringWriter();
    check(manager.copyOut("copy (select name from jdbc_t where name in ('eins', 'zwei') order by 1) to stdout with csv", out) == 2, "copy out");
    check(out.toString().equals("eins\nzwei\n"), out.toString());
  }

  static void metadata(Connection c) throws SQLException {
    DatabaseMetaData meta = c.getMetaData();
    try (ResultSet r = meta.getColumns(null, "public", "jdbc_t", null)) {
      int columns = 0;
      while (r.next()) columns++;
      check(columns == 4, "columns " + columns);
    }
    try (ResultSet r = meta.getPrimaryKeys(null, "public", "jdbc_t")) {
      check(r.next() && r.getString("COLUMN_NAME").equals("id"), "primary key");
    }
    try (ResultSet r = meta.getTables(null, null, "jdbc%", new String[] {"TABLE"})) {
      check(r.next(), "tables");
    }
    try (ResultSet r = meta.getIndexInfo(null, "public", "jdbc_t", true, false)) {
      check(r.next(), "indexes");
    }
    try (ResultSet r = meta.getTypeInfo()) {
      check(r.next(), "types");
    }
    try (PreparedStatement p = c.prepareStatement("select * from jdbc_t where id = ?")) {
      check(p.getMetaData().getColumnCount() == 4 && p.getParameterMetaData().getParameterCount() == 1, "described");
    }
  }

  static void errors(Connection c) {
    try (Statement s = c.createStatement()) {
      s.execute("insert into jdbc_t (id) values (1), (1)");
      check(false, "no error");
    } catch (SQLException e) {
      check(e.getSQLState().equals("23505"), "unique: " + e.getSQLState());
    }
  }

  static void cancel(Connection c) throws SQLException {
    try (Statement s = c.createStatement()) {
      s.setQueryTimeout(1);
      s.execute("select pg_sleep(30)");
      check(false, "not cancelled");
    } catch (SQLException e) {
      check(e.getSQLState().equals("57014"), "cancel: " + e.getSQLState());
    }
    try (Statement s = c.createStatement(); ResultSet r = s.executeQuery("select 1")) {
      check(r.next(), "after cancel");
    }
  }
}
