import java.io.BufferedInputStream;
import java.io.FilterInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.MessageDigest;
import java.util.HexFormat;
import java.util.zip.GZIPInputStream;

/** Prints the SHA-256 of each gzip file's content, read from a stream that gives little at a time, like a socket. */
class ReadGzip {
  /** Between two packets available() is 0: older versions of GZIPInputStream then take the end of a member for that of the file. */
  static class SlowStream extends FilterInputStream {
    private int turn = 0;

    SlowStream(InputStream in) {
      super(in);
    }

    @Override
    public int read(byte[] buffer, int offset, int length) throws IOException {
      return super.read(buffer, offset, Math.min(length, 1 + turn++ % 7));
    }

    @Override
    public int available() {
      return 0;
    }
  }

  private static String digest(String file) throws Exception {
    MessageDigest digest = MessageDigest.getInstance("SHA-256");
    try (InputStream in = new GZIPInputStream(new SlowStream(new BufferedInputStream(Files.newInputStream(Path.of(file)))))) {
      byte[] buffer = new byte[8192];
      for (int n = in.read(buffer); n >= 0; n = in.read(buffer)) digest.update(buffer, 0, n);
    }
    return HexFormat.of().formatHex(digest.digest());
  }

  public static void main(String[] arguments) throws Exception {
    for (String file : arguments) System.out.println(digest(file));
  }
}
