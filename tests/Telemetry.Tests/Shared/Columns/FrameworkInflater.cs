using System.IO.Compression;

namespace Telemetry.Tests.Shared.Columns;

/// <summary>
/// The framework's deflater, and its inflater, which read frames before there was one here: what both accept is alike.
/// </summary>
internal static class FrameworkInflater
{
    /// <summary>Inflates to exactly the length of <paramref name="into"/>; false where that cannot be.</summary>
    public static bool TryInflate(byte[] deflated, Span<byte> into)
    {
        try
        {
            using var inflate = new DeflateStream(new MemoryStream(deflated), CompressionMode.Decompress);
            var made = inflate.ReadAtLeast(into, into.Length, throwOnEndOfStream: false);
            return made == into.Length && inflate.ReadByte() < 0;
        }
        catch (InvalidDataException)
        {
            // What is asked is whether it can be inflated.
            return false;
        }
    }

    /// <summary>The bytes deflated, flushed behind every so many.</summary>
    public static byte[] Deflate(ReadOnlySpan<byte> bytes, CompressionLevel level, int flushEach = int.MaxValue)
    {
        var into = new MemoryStream();
        using (var deflate = new DeflateStream(into, level))
        {
            while (bytes.Length > flushEach)
            {
                deflate.Write(bytes[..flushEach]);
                deflate.Flush();
                bytes = bytes[flushEach..];
            }

            deflate.Write(bytes);
        }

        return into.ToArray();
    }
}
