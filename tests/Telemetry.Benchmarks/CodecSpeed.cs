using System.Diagnostics;
using Telemetry.Model.Frames;
using Telemetry.Model.Identity;
using Telemetry.Model.Readings;
using Telemetry.Model.Schemas;
using Telemetry.Model.Wire;

namespace Telemetry.Benchmarks;

/// <summary>
/// Encodes and decodes different frames of one kind in turn. One frame again and again would flatter: the processor
/// learns its branches by heart. What all frames of a turn hold fits into the second cache, as where a frame is made at
/// once of readings that just came.
/// </summary>
internal sealed class CodecSpeed
{
    /// <summary>So many frames of so many readings take turns at most, where there are so many.</summary>
    public const int FramesMax = 512;

    private const int ReadingsMax = 32_768;

    /// <summary>So many frames are timed together: a series' column is looked at anew once in sixteen.</summary>
    private const int TimedFrames = 32;

    private const int AllocationCycles = 20;

    private readonly ReadingBatch[] _batches;
    private readonly int[][] _orders;
    private readonly FrameHeader[] _headers;
    private readonly byte[][] _frames;
    private readonly MetricType[] _types;
    private readonly WireWriter _writer = new(FrameHeader.BytesMax);
    private readonly ReadingBatch _back;
    private readonly List<Declaration> _declarations = [];
    private readonly double _millions;

    private CodecSpeed(IEnumerable<ReadingBatch> batches, MetricType[] types)
    {
        _types = types;
        var readings = 0;
        _batches = [.. batches.Take(FramesMax).TakeWhile(batch => (readings += batch.Count) <= ReadingsMax)];
        _orders = new int[_batches.Length][];
        _headers = new FrameHeader[_batches.Length];
        _frames = new byte[_batches.Length][];
        for (var i = 0; i < _batches.Length; i++)
        {
            _orders[i] = new int[_batches[i].Count];
            _batches[i].Order(_orders[i]);
            _headers[i] = new FrameHeader
            {
                Version = 1,
                Key = new FrameKey(1, Lane.Backlog, 1, _batches[i].Count),
                Schema = new SchemaId(1, 2),
            };
            Encode(i);
            _frames[i] = _writer.ToArray();
        }

        _back = new ReadingBatch(_batches.Max(batch => batch.Count));
        _millions = _batches.Sum(batch => batch.Count) / 1e6;
    }

    /// <summary>
    /// Prints speeds and allocations of frames like these. Each speed takes so long at least; the limit is one copy of
    /// the same values as plain columns.
    /// </summary>
    public static void Run(TimeSpan least, string name, IEnumerable<ReadingBatch> batches, MetricType[] types)
    {
        var speed = new CodecSpeed(batches, types);
        var sizes = speed._batches.Select((batch, i) => ReadingColumns.Bytes(batch, speed._orders[i], types));
        var plain = sizes.Select(bytes => new byte[bytes]).ToArray();
        var copy = new byte[plain.Max(bytes => bytes.Length)];
        var copies = speed.Rate(least / 4, i => plain[i].CopyTo(copy, 0));
        var encoded = speed.Rate(least, speed.Encode);
        var decoded = speed.Rate(least, speed.Decode);
        Figure.Print($"codec-encode-{name}", encoded, "Mvalues/s", "copy-of-plain-bytes", copies);
        Figure.Print($"codec-decode-{name}", decoded, "Mvalues/s", "copy-of-plain-bytes", copies);
        Figure.Print($"codec-allocated-encode-{name}", speed.Allocated(speed.Encode), "B/frame");
        Figure.Print($"codec-allocated-decode-{name}", speed.Allocated(speed.Decode), "B/frame");
    }

    private void Encode(int i)
    {
        _writer.Clear();
        FrameWriter.Write(_writer, _headers[i], [], _batches[i], _orders[i], _types);
    }

    private void Decode(int i)
    {
        _back.Clear();
        FrameReader.Header(_frames[i], out _);
        FrameReader.Read(_frames[i], _types, _back, _declarations);
    }

    private double Allocated(Action<int> work)
    {
        var before = GC.GetAllocatedBytesForCurrentThread();
        for (var cycle = 0; cycle < AllocationCycles; cycle++)
        {
            Cycle(work);
        }

        return (GC.GetAllocatedBytesForCurrentThread() - before) / (double)(AllocationCycles * _batches.Length);
    }

    /// <summary>
    /// Millions of values a second in the best whole turns through the frames, so that what else runs on the machine
    /// counts little, and code is at its best.
    /// </summary>
    private double Rate(TimeSpan least, Action<int> work)
    {
        var best = double.MaxValue;
        var turns = (TimedFrames + _batches.Length - 1) / _batches.Length;
        var start = Stopwatch.GetTimestamp();
        while (Stopwatch.GetElapsedTime(start) < least)
        {
            var began = Stopwatch.GetTimestamp();
            for (var turn = 0; turn < turns; turn++)
            {
                Cycle(work);
            }

            best = Math.Min(best, Stopwatch.GetElapsedTime(began).TotalSeconds);
        }

        return turns * _millions / best;
    }

    private void Cycle(Action<int> work)
    {
        for (var i = 0; i < _batches.Length; i++)
        {
            work(i);
        }
    }
}
