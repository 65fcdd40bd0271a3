using Telemetry.Model.Readings;

namespace Telemetry.Model.Frames.Columns;

/// <summary>
/// The flags of a group (quality, null, estimated time):
/// <code>
/// 1       0: none has any; 1: runs follow until all readings have theirs
/// each run:
/// 4       flags
/// number  how many readings
/// </code>
/// </summary>
internal static class FlagColumn
{
    private const int FlagBits = 4;

    /// <summary>Writes the flags; unknown ones are an <see cref="ArgumentException"/>.</summary>
    public static void Write(BitWriter writer, ReadOnlySpan<ReadingFlags> flags)
    {
        var any = flags.ContainsAnyExcept(ReadingFlags.None);
        writer.Bit(any);
        while (any && flags.Length > 0)
        {
            var flag = flags[0];
            if (flag > ReadingFlags.All)
            {
                throw new ArgumentException($"unknown flags 0x{(byte)flag:x2}");
            }

            var end = flags.IndexOfAnyExcept(flag);
            var length = end < 0 ? flags.Length : end;
            writer.Write((ulong)flag, FlagBits);
            writer.Number((ulong)length, NumberContext.Count);
            flags = flags[length..];
        }
    }

    /// <summary>Reads the flags of a group and returns how many of its readings have a value.</summary>
    public static int Read(ref BitReader reader, Span<ReadingFlags> flags)
    {
        if (!reader.Bit())
        {
            flags.Clear();
            return flags.Length;
        }

        var present = 0;
        while (flags.Length > 0)
        {
            var flag = (ReadingFlags)reader.Read(FlagBits);
            var length = reader.Count(flags.Length);
            flags[..length].Fill(flag);
            present += (flag & ReadingFlags.Null) == 0 ? length : 0;
            flags = flags[length..];
        }

        return present;
    }
}
