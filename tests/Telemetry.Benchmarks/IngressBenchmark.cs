using System.Diagnostics;
using Telemetry.Benchmarks.EndToEnd;
using Telemetry.Model.Frames;
using Telemetry.Model.Identity;
using Telemetry.Model.Protocol;
using Telemetry.Model.Wire;
using Telemetry.Streams.JetStream;
using Telemetry.TestKit.Readings;

namespace Telemetry.Benchmarks;

/// <summary>
/// How many frames a second does one ingress take from 500 sessions, each checked, appended to the log and only then
/// acknowledged? The limit is one client that publishes the same messages straight to the same JetStream, as many at
/// once. The senders run on the same machine, and are a part of both; those of the ingress are bare sockets.
/// </summary>
internal static class IngressBenchmark
{
    private const int Sessions = 500, InFlight = 8;
    private const double WarmSeconds = 3, MeasuredSeconds = 6;

    public static async Task RunAsync(RunLength run)
    {
        await using var backend = await Backend.StartAsync(Fleet.Names(Sessions), postgres: null);
        await MeasureAsync(run, backend, "100-readings", new MixedSeries(10, 10, jitter: true), seconds: 1);
        await MeasureAsync(run, backend, "800-readings", new MixedSeries(10, 10, jitter: true), seconds: 8);
    }

    private static async Task MeasureAsync(RunLength run, Backend backend, string name, MixedSeries series, int seconds)
    {
        var frame = SealedSizes.Frame(series.Next(seconds), series.Types, FrameHeader.VersionMax);
        var before = await JetStreamAsync(run, backend, frame);
        var (rate, cloud, nats) = await IngressAsync(run, backend, frame);
        var limit = (before + await JetStreamAsync(run, backend, frame)) / 2;
        Figure.Print($"ingress-{name}-frame", frame.Length, "B");
        Figure.Print($"ingress-{name}", rate, "frames/s", "publish-to-jetstream", limit);
        Figure.Print($"ingress-{name}-bytes", rate * frame.Length / 1e6, "MB/s");
        Figure.Print($"ingress-{name}-cpu-ingress", cloud, "us/frame");
        Figure.Print($"ingress-{name}-cpu-nats", nats, "us/frame");
    }

    private static async Task<(double Rate, double CloudMicros, double NatsMicros)> IngressAsync(
        RunLength run, Backend backend, byte[] frame)
    {
        var clients = new List<BareSession>();
        try
        {
            foreach (var gateway in Fleet.Names(Sessions))
            {
                clients.Add(await BareSession.ConnectAsync(
                    backend.MqttPort, gateway, Backend.Password,
                    MqttTopics.Frames(GatewayId.Parse(gateway), Lane.Live)));
            }

            var (cloud, nats) = (backend.CloudCpu, backend.NatsCpu);
            var rate = await RateAsync(
                run, frame, (session, message) => clients[session].PublishAsync(message.Span));
            var frames = rate.Total;
            return (
                rate.PerSecond,
                (backend.CloudCpu - cloud).TotalMicroseconds / frames,
                (backend.NatsCpu - nats).TotalMicroseconds / frames);
        }
        finally
        {
            foreach (var client in clients)
            {
                await client.DisposeAsync();
            }
        }
    }

    private static async Task<double> JetStreamAsync(RunLength run, Backend backend, byte[] frame)
    {
        await using var nats = await JetStreamConnection.ConnectAsync(
            new NatsOptions { Servers = [backend.NatsUrl] }, cancellationToken: default);
        var unique = 0L;
        var attempts = Guid.NewGuid();
        return (await RateAsync(run, frame, async (session, message) =>
        {
            var gateway = GatewayId.Parse($"gw-{session + 1:00}");
            var subject = StreamNames.FrameSubject(1, 16, gateway.Partition(16), StreamKind.Live, gateway);
            await nats.Window.PublishAsync(
                subject, message, $"{attempts}/{Interlocked.Increment(ref unique)}", default);
            return true;
        })).PerSecond;
    }

    // Every session keeps so many messages under way, each an attempt of its own.
    private static async Task<(double PerSecond, long Total)> RateAsync(
        RunLength run, byte[] frame, Func<int, ReadOnlyMemory<byte>, Task<bool>> publish)
    {
        var process = (uint)Random.Shared.Next();
        var attempt = 1 << 22;
        long done = 0;
        using var end = new CancellationTokenSource();
        var loops = Enumerable.Range(0, Sessions * InFlight).Select(i => Task.Run(() => LoopAsync(i % Sessions)))
            .ToArray();
        await Task.Delay(run.Seconds(WarmSeconds));
        var (start, before) = (Stopwatch.GetTimestamp(), Interlocked.Read(ref done));
        await Task.Delay(run.Seconds(MeasuredSeconds));
        var rate = (Interlocked.Read(ref done) - before) / Stopwatch.GetElapsedTime(start).TotalSeconds;
        await end.CancelAsync();
        await Task.WhenAll(loops);
        return (rate, done);

        async Task LoopAsync(int session)
        {
            var writer = new WireWriter(frame.Length + FrameEnvelope.BytesMax);
            var message = new byte[frame.Length + FrameEnvelope.BytesMax];
            while (!end.IsCancellationRequested)
            {
                writer.Clear();
                new FrameEnvelope(1_700_000_000_000_000, new Attempt(process, Interlocked.Increment(ref attempt)))
                    .Write(writer);
                writer.Bytes(frame);
                writer.Written.CopyTo(message);
                if (!await publish(session, message.AsMemory(0, writer.Length)))
                {
                    throw new InvalidOperationException("a frame was refused");
                }

                Interlocked.Increment(ref done);
            }
        }
    }
}
