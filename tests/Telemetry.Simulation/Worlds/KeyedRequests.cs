using System.Globalization;
using System.Text;
using Telemetry.Edge.Outbox;
using Telemetry.Inputs.Http;
using Telemetry.Inputs.LineProtocol;
using Telemetry.Model.Identity;
using Telemetry.Model.Readings;
using Telemetry.Model.Schemas;
using Telemetry.Simulation.Faults;

namespace Telemetry.Simulation.Worlds;

/// <summary>
/// A client of the agent's HTTP input that names its requests by keys: it repeats one until it has an answer, over
/// deaths of the agent too, and so each is to be stored once. It outlives the agent's process.
/// </summary>
internal sealed class KeyedRequests(
    GatewayId gateway, Random random, Journal journal, FaultChances faults, FaultProfile mix)
{
    private const int ReadingsMax = 5;
    private const int WaitingMax = 4;

    private readonly List<Pending> _waiting = [];
    private int _made;

    public static SeriesDefinition Series(int index) => new()
    {
        Device = $"device-{index % 2}",
        Metric = $"keyed.f{index}",
        Type = MetricType.Float,
    };

    /// <summary>Sends, and repeats, in the life of an agent.</summary>
    public async Task RunAsync(
        ReadingOutbox outbox, TimeProvider life, Func<bool> goes, Func<TimeSpan> now,
        CancellationToken cancellationToken)
    {
        var desk = new WriteHandler(new HttpInputOptions(), gateway, null, new HttpCounters(), life);
        desk.Open(outbox);
        while (!cancellationToken.IsCancellationRequested)
        {
            await Task.Delay(TimeSpan.FromMilliseconds(random.Next(100, 3000)), life, cancellationToken);
            if (goes())
            {
                await SendAsync(desk, life, now);
            }
        }
    }

    private async Task SendAsync(WriteHandler desk, TimeProvider life, Func<TimeSpan> now)
    {
        if (_waiting.Count < WaitingMax && (_waiting.Count == 0 || random.Next(2) == 0))
        {
            _waiting.Add(Make(life, now()));
        }

        var request = _waiting[random.Next(_waiting.Count)];
        if (request.Times++ > 0)
        {
            faults.Count(Fault.RequestRepeated, $"{gateway} {request.Request.Key:x}");
        }

        var answer = await desk.WriteAsync(request.Request);
        if (answer.Status == 204 && !faults.Strikes(Fault.RequestAnswerLost, $"{gateway} {request.Request.Key:x}"))
        {
            _waiting.Remove(request);
            journal.Acknowledge(request.Hashes, now());
        }
    }

    private Pending Make(TimeProvider life, TimeSpan now)
    {
        var text = new StringBuilder();
        var hashes = new ulong[random.Next(1, ReadingsMax + 1)];
        for (var i = 0; i < hashes.Length; i++)
        {
            var index = random.Next(3);
            var series = Series(index);
            var clock = (life.GetUtcNow() - DateTimeOffset.UnixEpoch).Ticks / TimeSpan.TicksPerMicrosecond;
            var micros = journal.FreeTime(clock & ~1L);
            var value = random.NextDouble();
            text.Append(
                CultureInfo.InvariantCulture, $"keyed,device={series.Device} f{index}={value:R} {micros * 1000}\n");
            var bits = BitConverter.DoubleToUInt64Bits(value);
            hashes[i] = ReadingHash.Of(SeriesIdentity.Of(gateway, series), micros, MetricType.Float, bits, 0);
            journal.Attempt(hashes[i], now);
            journal.Keyed.Add(hashes[i]);
            if (RefusedReadingLedger.Has(mix, micros))
            {
                journal.Refused.Add(hashes[i]);
            }
        }

        var key = WriteRequest.KeyOf("/write", gateway.Value, $"{random.Next()}-{++_made}");
        return new Pending(
            new WriteRequest(Encoding.UTF8.GetBytes(text.ToString()), TimePrecision.Nanoseconds, key), hashes);
    }

    private sealed record Pending(WriteRequest Request, ulong[] Hashes)
    {
        public int Times { get; set; }
    }
}
