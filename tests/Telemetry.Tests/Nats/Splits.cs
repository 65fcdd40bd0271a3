using System.Buffers;

namespace Telemetry.Tests.Nats;

/// <summary>The same bytes as one piece, and cut into two and three pieces in every possible way.</summary>
internal static class Splits
{
    public static IEnumerable<ReadOnlySequence<byte>> All(byte[] bytes)
    {
        yield return new(bytes);
        for (var i = 0; i <= bytes.Length; i++)
        {
            yield return Of(bytes.AsMemory(0, i), bytes.AsMemory(i));
        }

        for (var i = 0; i <= bytes.Length; i++)
        {
            for (var j = i; j <= bytes.Length; j++)
            {
                yield return Of(bytes.AsMemory(0, i), bytes.AsMemory(i, j - i), bytes.AsMemory(j));
            }
        }
    }

    public static ReadOnlySequence<byte> Of(params ReadOnlyMemory<byte>[] pieces)
    {
        var first = new Segment(pieces[0], 0);
        var last = first;
        foreach (var piece in pieces.Skip(1))
        {
            last = last.Append(piece);
        }

        return new(first, 0, last, last.Memory.Length);
    }

    private sealed class Segment : ReadOnlySequenceSegment<byte>
    {
        public Segment(ReadOnlyMemory<byte> memory, long start)
        {
            Memory = memory;
            RunningIndex = start;
        }

        public Segment Append(ReadOnlyMemory<byte> memory)
        {
            var next = new Segment(memory, RunningIndex + Memory.Length);
            Next = next;
            return next;
        }
    }
}
