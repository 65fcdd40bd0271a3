using System.Buffers.Binary;
using Telemetry.Model.Schemas;

namespace Telemetry.Storage.Postgres.Statements;

/// <summary>Converts values of the model to columns and back.</summary>
public static class ColumnValues
{
    /// <summary>The longest error text kept with a dead letter, in characters; longer ones are cut.</summary>
    public const int ErrorLengthMax = 2000;

    /// <summary>
    /// Microseconds since 1970 as timestamptz; the model's times (years 828 to 3111) all fit, exactly.
    /// </summary>
    public static DateTime Time(long micros) => DateTime.UnixEpoch.AddTicks(micros * TimeSpan.TicksPerMicrosecond);

    /// <summary>The reverse of <see cref="Time"/>.</summary>
    public static long Micros(DateTime time) => (time - DateTime.UnixEpoch).Ticks / TimeSpan.TicksPerMicrosecond;

    public static byte[] Bytes(SchemaId id)
    {
        var bytes = new byte[SchemaId.Bytes];
        id.Write(bytes);
        return bytes;
    }

    /// <summary>A series' identity; no bytes for none.</summary>
    public static byte[] Bytes(SeriesIdentity identity)
    {
        var bytes = identity == default ? [] : new byte[SeriesIdentity.Bytes];
        if (bytes.Length > 0)
        {
            identity.Write(bytes);
        }

        return bytes;
    }

    /// <summary>The reverse of <see cref="Bytes(SeriesIdentity)"/>.</summary>
    public static SeriesIdentity Identity(ReadOnlySpan<byte> bytes) =>
        bytes.IsEmpty ? default : SeriesIdentity.Read(bytes);

    /// <summary>A 128-bit hash as 16 bytes, big-endian.</summary>
    public static byte[] Bytes(UInt128 hash)
    {
        var bytes = new byte[16];
        BinaryPrimitives.WriteUInt128BigEndian(bytes, hash);
        return bytes;
    }

    /// <summary>The reverse of <see cref="Bytes(UInt128)"/>.</summary>
    public static UInt128 Hash(ReadOnlySpan<byte> bytes) => BinaryPrimitives.ReadUInt128BigEndian(bytes);

    /// <summary>Text for people: PostgreSQL cannot store NUL, so it becomes U+FFFD.</summary>
    public static string Text(string text) => text.Replace('\0', '\uFFFD');

    public static string Error(string text) => Text(text.Length > ErrorLengthMax ? text[..ErrorLengthMax] : text);
}
