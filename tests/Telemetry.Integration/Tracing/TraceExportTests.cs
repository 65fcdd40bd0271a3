using System.Diagnostics;
using Telemetry.Diagnostics.Tracing;
using Telemetry.Model.Identity;
using Telemetry.Model.Tracing;
using Telemetry.TestKit.Servers;
using Telemetry.TestKit.Tracing;

namespace Telemetry.Integration.Tracing;

/// <summary>The export by OTLP against a collector of our own.</summary>
public sealed class TraceExportTests
{
    private static readonly TimeSpan Within = TimeSpan.FromSeconds(30);
    private static readonly GatewayId Gateway = GatewayId.Parse("gw-1");
    private static readonly DateTimeOffset Then = new(2001, 2, 3, 4, 5, 6, TimeSpan.Zero);

    [Theory]
    [InlineData(TraceProtocol.HttpProtobuf)]
    [InlineData(TraceProtocol.Grpc)]
    public async Task Span_arrives_as_it_was_written(TraceProtocol protocol)
    {
        await using var collector = await CollectorStub.StartAsync(grpc: protocol == TraceProtocol.Grpc);
        var source = $"Telemetry.Integration.{protocol}";
        using (var export = Start(collector.Address, source, protocol))
        {
            Write(new FrameSpans(source), 1);
        }

        var span = Assert.Single(collector.Spans);
        var parent = FrameTrace.Of(Gateway, Key(1)).Parent;
        Assert.Equal(("service", source, "step 1"), (span.Service, span.Source, span.Name));
        Assert.Equal(($"{parent.TraceId}", $"{parent.SpanId}"), (span.TraceId, span.ParentId));
        Assert.Equal($"{Gateway}/{Key(1)}", span.Tags[FrameSpans.FrameTag]);
        var nanos = (ulong)(Then - DateTimeOffset.UnixEpoch).Ticks * 100;
        Assert.Equal((nanos, nanos + 2_000_000_000), (span.Start, span.End));
    }

    [Fact]
    public async Task Every_process_chooses_the_same_frames_and_a_smaller_ratio_a_part_of_them()
    {
        const int frames = 600;
        await using var collector = await CollectorStub.StartAsync();
        (string, double)[] ratios =
            [("Telemetry.Ratio.One", 0.5), ("Telemetry.Ratio.Two", 0.5), ("Telemetry.Ratio.Less", 0.1)];
        foreach (var (source, ratio) in ratios)
        {
            using var export = Start(collector.Address, source, TraceProtocol.HttpProtobuf, ratio);
            var spans = new FrameSpans(source);
            for (var frame = 1; frame <= frames; frame++)
            {
                Write(spans, frame);
            }
        }

        var one = Chosen("Telemetry.Ratio.One");
        Assert.InRange(one.Count, frames / 3, frames * 2 / 3);
        Assert.Equal(one, Chosen("Telemetry.Ratio.Two"));
        Assert.InRange(Chosen("Telemetry.Ratio.Less").Count, 1, frames / 4);
        Assert.Subset(one, Chosen("Telemetry.Ratio.Less"));

        SortedSet<string> Chosen(string source) =>
            [.. collector.Spans.Where(s => s.Source == source).Select(s => s.TraceId)];
    }

    [Fact]
    public async Task Collector_that_hangs_costs_the_spans_beyond_the_limit_and_stopping_does_not_wait_for_it()
    {
        const string source = "Telemetry.Integration.Hangs";
        await using var collector = await CollectorStub.StartAsync();
        collector.Hangs = true;
        var export = Start(collector.Address, source, waitingSpansMax: 100);

        var spans = new FrameSpans(source);
        for (var frame = 1; frame <= 130; frame++)
        {
            Write(spans, frame);
        }

        Assert.Equal((0, 0, 30, 100), Counts(export));
        await Until(() => collector.Requests > 0);
        // The collector may take a minute for a batch; it is not waited for.
        await Task.Factory.StartNew(export.Dispose, TaskCreationOptions.LongRunning).WaitAsync(Within);
        Assert.Empty(collector.Spans);
    }

    [Fact]
    public async Task Collector_that_is_down_or_refuses_costs_its_spans_and_is_counted()
    {
        await using var collector = await CollectorStub.StartAsync();
        collector.Refuses = true;
        foreach (var (name, address) in new[] { ("Down", new Uri(
            $"http://127.0.0.1:{FreePort.Next()}")), ("Refuses", collector.Address) })
        {
            var source = $"Telemetry.Integration.{name}";
            var changes = new List<CollectorChange>();
            var export = Start(address, source, changed: changes.Add);
            Write(new FrameSpans(source), 1);
            await Until(() => export.Counters.Failed == 1);
            Write(new FrameSpans(source), 2);

            await Until(() => export.Counters.Failed == 2);
            Assert.Equal((0, 2, 0, 0), Counts(export));
            export.Dispose();
            Assert.Equal([new CollectorChange(false, 1, 0)], changes);
        }
    }

    [Fact]
    public void Nothing_begins_without_an_endpoint() =>
        Assert.Null(TraceExport.Start(new TraceExportOptions(), "Telemetry.Integration.None", "service", "1"));

    private static TraceExport Start(
        Uri collector, string source, TraceProtocol protocol = TraceProtocol.HttpProtobuf, double ratio = 1,
        int waitingSpansMax = 2048, Action<CollectorChange>? changed = null)
    {
        var options = new TraceExportOptions
        {
            Endpoint = collector,
            Protocol = protocol,
            Ratio = ratio,
            WaitingSpansMax = waitingSpansMax,
            SendEvery = TimeSpan.FromMilliseconds(100),
            SendTimeout = TimeSpan.FromMinutes(1),
        };
        return TraceExport.Start(options, source, "service", "1", changed)!;
    }

    private static (long Exported, long Failed, long Dropped, int Waiting) Counts(TraceExport export) =>
        (export.Counters.Exported, export.Counters.Failed, export.Counters.Dropped, export.Counters.Waiting);

    private static FrameKey Key(int frame) => new(9, Lane.Live, frame, 1);

    private static void Write(FrameSpans spans, int frame)
    {
        if (spans.Begin($"step {frame}", ActivityKind.Internal, Gateway, Key(frame), Then) is { } span)
        {
            FrameSpans.End(span, Then.AddSeconds(2));
        }
    }

    private static async Task Until(Func<bool> holds)
    {
        using var limit = new CancellationTokenSource(Within);
        while (!holds())
        {
            Assert.False(limit.IsCancellationRequested, "it did not happen in time");
            await Task.Delay(TimeSpan.FromMilliseconds(20));
        }
    }
}
