import java.sql.*;

/** One insert that is held. Arguments: url user password. Prints what it was told while it waited, and the rows. */
public class Held {
  public static void main(String[] args) throws Exception {
    try (Connection c = DriverManager.getConnection(args[0], args[1], args[2]);
        PreparedStatement s = c.prepareStatement("insert into notes values (?, ?)")) {
      s.setInt(1, 4);
      s.setString(2, "jdbc");
      System.out.println("rows " + s.executeUpdate());
      for (SQLWarning w = s.getWarnings(); w != null; w = w.getNextWarning()) System.err.println(w.getMessage());
    }
  }
}
