using System.IO.Compression;
using System.IO.Hashing;
using Telemetry.Model.Readings;

namespace Telemetry.Model.Frames.Columns;

/// <summary>
/// The texts of a group: each distinct one once, in order of first occurrence.
/// <code>
/// number  how many distinct texts
/// number  the length of the first in bytes
/// ...     the others' lengths, see <see cref="IntegerColumn"/>
/// ...     if there are two or more: for each reading the number of its text, from 0, see IntegerColumn; the first
///         reading has text 0, which is not written
/// </code>
/// The bytes of all groups' texts follow after the columns, deflated where that is smaller.
/// </summary>
internal static class TextColumn
{
    /// <summary>Shorter texts gain less than a deflater costs, which is created for each frame.</summary>
    private const int DeflateFrom = 96;

    /// <summary>
    /// Writes the texts that <paramref name="values"/> refer to in the batch, and adds the distinct ones' bytes to the
    /// scratch's text, of which <paramref name="textBytes"/> are in use.
    /// </summary>
    public static void Write(
        BitWriter writer, ReadingBatch batch, ReadOnlySpan<ulong> values, ref int textBytes, ColumnScratch scratch)
    {
        var entries = scratch.Entries.Of(values.Length);
        var numbers = scratch.Ranks.Of(values.Length);
        var count = Distinct(batch, values, entries, numbers, scratch.Slots(values.Length * 2));
        var lengths = scratch.Integers.Of(count);
        for (var i = 0; i < count; i++)
        {
            var text = batch.Text(entries[i]);
            lengths[i] = text.Length;
            text.CopyTo(scratch.Text.Of(textBytes + text.Length)[textBytes..]);
            textBytes += text.Length;
        }

        writer.Number((ulong)count, NumberContext.Count);
        writer.Number((ulong)lengths[0], NumberContext.Count);
        var residuals = scratch.Residuals.Of(values.Length);
        IntegerColumn.Write(writer, lengths, IntegerColumn.Plan(lengths, IntegerMeaning.Values, out _), residuals);
        if (count > 1)
        {
            IntegerColumn.Write(writer, numbers, IntegerColumn.Plan(numbers, IntegerMeaning.Values, out _), residuals);
        }
    }

    /// <summary>
    /// Reads the texts of a group as (offset, length) in the texts of all groups; those of the groups before have
    /// <paramref name="textBytes"/> bytes. The readings of this group and all later ones may have
    /// <paramref name="left"/> bytes of text together.
    /// </summary>
    public static void Read(
        ref BitReader reader, Span<ulong> into, ref int textBytes, ref int left, ColumnScratch scratch)
    {
        var lengths = scratch.Keys.Of(reader.Count(into.Length));
        lengths[0] = (long)reader.Number(NumberContext.Count);
        IntegerColumn.Read(ref reader, lengths);
        var entries = scratch.Entries.Of(lengths.Length);
        for (var i = 0; i < lengths.Length; i++)
        {
            if ((ulong)lengths[i] > ReadingBatch.TextBytesMax || textBytes + lengths[i] > FrameHeader.BytesMax)
            {
                throw reader.Malformed($"a text of {lengths[i]} bytes behind {textBytes}");
            }

            entries[i] = ((ulong)textBytes << 32) | (uint)lengths[i];
            textBytes += (int)lengths[i];
        }

        var numbers = scratch.Ranks.Of(into.Length);
        numbers[0] = 0;
        if (lengths.Length > 1)
        {
            IntegerColumn.Read(ref reader, numbers);
        }
        else
        {
            numbers.Clear();
        }

        for (var i = 0; i < into.Length; i++)
        {
            if ((ulong)numbers[i] >= (ulong)entries.Length)
            {
                throw reader.Malformed($"text {numbers[i]} of {entries.Length}");
            }

            into[i] = entries[(int)numbers[i]];
            left -= (int)(uint)into[i];
        }

        if (left < 0)
        {
            throw reader.Malformed("more text than a frame may have");
        }
    }

    /// <summary>The deflated texts, in the scratch until the next call; false when they are not smaller.</summary>
    public static bool TryDeflate(ReadOnlySpan<byte> text, ColumnScratch scratch, out ReadOnlySpan<byte> deflated)
    {
        deflated = default;
        if (text.Length < DeflateFrom)
        {
            return false;
        }

        var into = scratch.Deflated;
        into.SetLength(0);
        using (var deflate = new DeflateStream(into, CompressionLevel.Optimal, leaveOpen: true))
        {
            deflate.Write(text);
        }

        deflated = into.GetBuffer().AsSpan(0, (int)into.Length);
        return deflated.Length < text.Length;
    }

    /// <summary>
    /// Inflates to exactly the length of <paramref name="into"/>; false if that is impossible. It produces at most that
    /// many bytes, and its time is bounded by them and by the bytes of the stream. Allocates about 250 bytes, and a
    /// window outside of the managed memory.
    /// </summary>
    public static bool TryInflate(ReadOnlySpan<byte> deflated, Span<byte> into, ColumnScratch scratch)
    {
        var from = scratch.Deflated;
        from.SetLength(0);
        from.Write(deflated);
        from.Position = 0;
        try
        {
            using var inflate = new DeflateStream(from, CompressionMode.Decompress, leaveOpen: true);
            return inflate.ReadAtLeast(into, into.Length, throwOnEndOfStream: false) == into.Length
                && inflate.ReadByte() < 0;
        }
        catch (InvalidDataException)
        {
            // Not a deflate stream.
            return false;
        }
    }

    private static int Distinct(
        ReadingBatch batch, ReadOnlySpan<ulong> values, Span<ulong> entries, Span<long> numbers, Span<int> slots)
    {
        var count = 0;
        for (var i = 0; i < values.Length; i++)
        {
            var text = batch.Text(values[i]);
            var slot = (int)XxHash64.HashToUInt64(text) & (slots.Length - 1);
            while (slots[slot] != 0 && !batch.Text(entries[slots[slot] - 1]).SequenceEqual(text))
            {
                slot = (slot + 1) & (slots.Length - 1);
            }

            if (slots[slot] == 0)
            {
                entries[count++] = values[i];
                slots[slot] = count;
            }

            numbers[i] = slots[slot] - 1;
        }

        return count;
    }
}
