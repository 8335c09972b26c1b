import java.sql.*;
import java.util.Properties;

/** Asks the driver for everything that it can tell about a database. Arguments: url user password. */
public class Introspect {
  interface Question {
    ResultSet ask(DatabaseMetaData meta) throws SQLException;
  }

  public static void main(String[] args) throws Exception {
    Properties properties = new Properties();
    properties.setProperty("user", args[1]);
    properties.setProperty("password", args[2]);
    Question[] questions = {
      meta -> meta.getCatalogs(),
      meta -> meta.getSchemas(),
      meta -> meta.getSchemas(null, "pub%"),
      meta -> meta.getTableTypes(),
      meta -> meta.getTables(null, null, "%", null),
      meta -> meta.getTables(null, "public", "c%", new String[] {"TABLE", "VIEW", "MATERIALIZED VIEW"}),
      meta -> meta.getColumns(null, "public", "%", null),
      meta -> meta.getColumns(null, "public", "customers", "%"),
      meta -> meta.getColumnPrivileges(null, "public", "customers", "%"),
      meta -> meta.getTablePrivileges(null, "public", "%"),
      meta -> meta.getBestRowIdentifier(null, "public", "customers", DatabaseMetaData.bestRowSession, true),
      meta -> meta.getVersionColumns(null, "public", "customers"),
      meta -> meta.getPrimaryKeys(null, "public", "items"),
      meta -> meta.getImportedKeys(null, "public", "orders"),
      meta -> meta.getExportedKeys(null, "public", "customers"),
      meta -> meta.getCrossReference(null, "public", "customers", null, "public", "orders"),
      meta -> meta.getTypeInfo(),
      meta -> meta.getIndexInfo(null, "public", "customers", false, true),
      meta -> meta.getUDTs(null, "public", "%", null),
      meta -> meta.getProcedures(null, null, "%"),
      meta -> meta.getProcedureColumns(null, "public", "%", null),
      meta -> meta.getFunctions(null, null, "%"),
      meta -> meta.getFunctionColumns(null, "public", "%", null),
      meta -> meta.getClientInfoProperties(),
    };
    try (Connection connection = DriverManager.getConnection(args[0], properties)) {
      DatabaseMetaData meta = connection.getMetaData();
      meta.getMaxConnections();
      meta.getSQLKeywords();
      meta.getStringFunctions();
      for (Question question : questions) {
        try (ResultSet rows = question.ask(meta)) {
          while (rows.next()) {}
        }
      }
      // What a row is of: asked about the result's columns.
      try (Statement statement = connection.createStatement(ResultSet.TYPE_SCROLL_INSENSITIVE, ResultSet.CONCUR_UPDATABLE);
          ResultSet rows = statement.executeQuery("SELECT id, name, lives, labels, data FROM customers")) {
        ResultSetMetaData columns = rows.getMetaData();
        for (int at = 1; at <= columns.getColumnCount(); at++) {
          columns.isAutoIncrement(at);
          columns.getColumnTypeName(at);
          columns.isNullable(at);
        }
        rows.moveToInsertRow();
        rows.updateInt(1, 1);
        rows.updateString(2, "Ann");
        rows.insertRow();
        rows.absolute(1);
        rows.updateString(2, "Bob");
        rows.updateRow();
        rows.deleteRow();
      }
      connection.createArrayOf("text", new Object[] {"a"}).getBaseTypeName();
    }
  }
}
