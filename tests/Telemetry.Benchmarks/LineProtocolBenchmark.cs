using System.Diagnostics;
using System.Text;
using Telemetry.Edge.Outbox;
using Telemetry.Inputs.LineProtocol;
using Telemetry.Model.Identity;
using Telemetry.Model.Readings;
using Telemetry.TestKit.Simulated;

namespace Telemetry.Benchmarks;

/// <summary>
/// How many lines of line protocol does one core make readings of, series looked up included, and does it allocate? The
/// limit is what nobody can be spared: finding the line feeds of the same bytes and copying them once.
/// </summary>
internal static class LineProtocolBenchmark
{
    private const int Hosts = 100, LinesPerBody = 50_000, PartReadings = 32 * 1024;
    private const double LeastSeconds = 3;
    private static readonly PartLimits Part = new(PartReadings, PartReadings, PartReadings, long.MaxValue);
    private static readonly GatewayId Gateway = GatewayId.Parse("bench");

    public static async Task RunAsync(RunLength run)
    {
        await MeasureAsync(run, "one-field", i =>
            $"cpu,host=host-{i % Hosts:000},cpu=cpu{i % 4} usage_user={i % 1000 / 10.0:F1} "
            + $"{1_556_813_561_098_000_000 + i}");
        await MeasureAsync(run, "three-fields", i =>
            $"cpu,host=host-{i % Hosts:000},cpu=cpu{i % 4} "
            + $"usage_user={i % 1000 / 10.0:F1},usage_system={i % 77 / 7.0:F6},switches={i}i "
            + $"{1_556_813_561_098_000_000 + i}");
        await MeasureAsync(run, "ten-fields", i =>
            $"mem,host=host-{i % Hosts:000},region=eu-west "
            + $"{string.Join(',', Enumerable.Range(0, 10).Select(f => $"field_{f}={i * f % 100_000}i"))} "
            + $"{1_556_813_561_098_000_000 + i}");
    }

    private static async Task MeasureAsync(RunLength run, string name, Func<int, string> line)
    {
        var text = new StringBuilder();
        for (var i = 0; i < LinesPerBody; i++)
        {
            text.Append(line(i)).Append('\n');
        }

        var body = Encoding.UTF8.GetBytes(text.ToString());
        var random = new Random(1);
        await using var outbox = await ReadingOutbox.OpenAsync(
            new SimulatedOutboxDisk(random).Open(), Gateway, new OutboxOptions(), TimeProvider.System, random,
            CancellationToken.None);
        var decoder = new LineDecoder(new SeriesCache(outbox, Gateway, "device", 64 * 1024), 64 * 1024);
        var batch = new ReadingBatch(PartReadings);
        var errors = new LineErrors();
        var copy = new byte[body.Length];

        // Warm: series known, code compiled at its best.
        Rate(run, () => Decode(decoder, body, batch, errors));
        var before = GC.GetAllocatedBytesForCurrentThread();
        var decoded = Decode(decoder, body, batch, errors);
        var allocated = GC.GetAllocatedBytesForCurrentThread() - before;
        if (decoded != LinesPerBody || errors.Count > 0)
        {
            throw new InvalidOperationException($"{decoded} of {LinesPerBody} lines decoded: {errors.Text}");
        }

        var linesRate = Rate(run, () => Decode(decoder, body, batch, errors)) * LinesPerBody;
        var scanRate = Rate(run, () => ScanAndCopy(body, copy)) * LinesPerBody;
        Figure.Print($"line-protocol-{name}", linesRate, "lines/s", "scan-and-copy", scanRate);
        Figure.Print($"line-protocol-{name}-bytes", linesRate * body.Length / LinesPerBody / 1e6, "MB/s");
        Figure.Print($"line-protocol-{name}-allocated", (double)allocated / LinesPerBody, "B/line");
    }

    private static int Decode(LineDecoder decoder, byte[] body, ReadingBatch batch, LineErrors errors)
    {
        var lines = 0;
        for (var at = BodyPosition.Start; at.Offset < body.Length;)
        {
            batch.Clear();
            (at, var taken) = decoder.Decode(body, at, TimePrecision.Nanoseconds, 0, Part, batch, errors);
            lines += taken;
        }

        return lines;
    }

    private static int ScanAndCopy(ReadOnlySpan<byte> body, Span<byte> copy)
    {
        var lines = 0;
        for (var at = 0; at < body.Length;)
        {
            var length = body[at..].IndexOf((byte)'\n') + 1;
            body.Slice(at, length).CopyTo(copy[at..]);
            at += length;
            lines++;
        }

        return lines;
    }

    // Bodies a second.
    private static double Rate(RunLength run, Func<int> work)
    {
        var bodies = 0;
        var start = Stopwatch.GetTimestamp();
        TimeSpan passed;
        do
        {
            work();
            bodies++;
            passed = Stopwatch.GetElapsedTime(start);
        }
        while (passed < run.Seconds(LeastSeconds));
        return bodies / passed.TotalSeconds;
    }
}
