using System.Buffers;

namespace Telemetry.TestKit.Bytes;

/// <summary>
/// The same bytes in every way in which a network can cut them. Each segment lies in an array of its own between
/// guard bytes, so that a parser that reads past a segment's end reads wrong bytes instead of the right ones by luck.
/// </summary>
public static class ByteSplitter
{
    /// <summary>Up to this many bytes <see cref="EverySplit"/> makes all splits in three too (2,145 of them).</summary>
    public const int SplitInThreeBytesMax = 64;

    private const int GuardBytes = 8;
    private const byte Guard = 0xA5;

    /// <summary>
    /// In one piece, byte by byte, every split in two and, up to 64 bytes, in three; also with empty segments.
    /// </summary>
    public static IEnumerable<ReadOnlySequence<byte>> EverySplit(ReadOnlyMemory<byte> bytes)
    {
        yield return Split(bytes);
        yield return Split(bytes, [.. Enumerable.Range(1, Math.Max(0, bytes.Length - 1))]);
        foreach (var split in EverySplitInTwo(bytes))
        {
            yield return split;
        }

        foreach (var split in bytes.Length <= SplitInThreeBytesMax ? EverySplitInThree(bytes) : [])
        {
            yield return split;
        }
    }

    public static IEnumerable<ReadOnlySequence<byte>> EverySplitInTwo(ReadOnlyMemory<byte> bytes)
    {
        for (var cut = 0; cut <= bytes.Length; cut++)
        {
            yield return Split(bytes, cut);
        }
    }

    /// <summary>Grows with the square of the length: for short input.</summary>
    public static IEnumerable<ReadOnlySequence<byte>> EverySplitInThree(ReadOnlyMemory<byte> bytes)
    {
        for (var first = 0; first <= bytes.Length; first++)
        {
            for (var second = first; second <= bytes.Length; second++)
            {
                yield return Split(bytes, first, second);
            }
        }
    }

    /// <summary>Every beginning that is not the whole: what a parser must answer with "need more".</summary>
    public static IEnumerable<ReadOnlySequence<byte>> EveryStrictPrefix(ReadOnlyMemory<byte> bytes)
    {
        for (var length = 0; length < bytes.Length; length++)
        {
            yield return Split(bytes[..length]);
        }
    }

    /// <summary>Cut at these places, in rising order; two equal ones leave an empty segment between them.</summary>
    public static ReadOnlySequence<byte> Split(ReadOnlyMemory<byte> bytes, params ReadOnlySpan<int> cuts)
    {
        var begin = 0;
        Segment? first = null, last = null;
        foreach (var cut in (int[])[.. cuts, bytes.Length])
        {
            last = new Segment(Guarded(bytes[begin..cut].Span), last);
            first ??= last;
            begin = cut;
        }

        return new ReadOnlySequence<byte>(first!, 0, last!, last!.Memory.Length);
    }

    private static ReadOnlyMemory<byte> Guarded(ReadOnlySpan<byte> bytes)
    {
        var array = new byte[bytes.Length + 2 * GuardBytes];
        array.AsSpan().Fill(Guard);
        bytes.CopyTo(array.AsSpan(GuardBytes));
        return array.AsMemory(GuardBytes, bytes.Length);
    }

    private sealed class Segment : ReadOnlySequenceSegment<byte>
    {
        public Segment(ReadOnlyMemory<byte> bytes, Segment? previous)
        {
            Memory = bytes;
            if (previous is not null)
            {
                RunningIndex = previous.RunningIndex + previous.Memory.Length;
                previous.Next = this;
            }
        }
    }
}
