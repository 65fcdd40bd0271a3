using Telemetry.Inputs.Generator;
using Telemetry.Model.Frames;
using Telemetry.Model.Identity;
using Telemetry.Model.Protocol;
using Telemetry.Model.Readings;
using Telemetry.Model.Schemas;
using Telemetry.Model.Wire;
using Telemetry.Streams.JetStream;

namespace Telemetry.Benchmarks.Drain;

/// <summary>What was put into a log: live frames of many gateways, as their agents would have sent them.</summary>
internal sealed record FilledLog(long Readings, long Bytes)
{
    /// <summary>Readings of one frame: 50 of each of the gateway's 20 series.</summary>
    public const int FrameReadings = 1_000;

    private const int UnderWayMax = 512, Partitions = 16;

    private static readonly GeneratorOptions Options = OptionsOf(20);

    /// <summary>
    /// Fills the streams, which must be there: frame by frame of each gateway in turn, as a second of each would come.
    /// </summary>
    /// <param name="nats">The server's address.</param>
    /// <param name="gateways">Their names.</param>
    /// <param name="framesOfGateway">The frames of each; each frame has a second's readings.</param>
    /// <param name="series">The series of each gateway, a multiple of five; a frame has readings of each.</param>
    /// <param name="ago">How long ago the first readings were taken.</param>
    public static async Task<FilledLog> FillAsync(
        string nats, IEnumerable<string> gateways, int framesOfGateway, int series = 20, TimeSpan? ago = null)
    {
        await using var connection = await JetStreamConnection.ConnectAsync(
            new NatsOptions { Servers = [nats] });
        var senders = gateways.Select((name, n) => new Sender(
            GatewayId.Parse(name), n, OptionsOf(series), ago ?? TimeSpan.FromHours(1))).ToArray();
        var underWay = new Queue<Task>();
        var bytes = 0L;
        foreach (var sender in senders)
        {
            await SendAsync(sender, sender.Schema());
        }

        for (var frame = 0; frame < framesOfGateway; frame++)
        {
            foreach (var sender in senders)
            {
                var message = sender.Next();
                bytes += message.Data.Length;
                await SendAsync(sender, message);
            }
        }

        await Task.WhenAll(underWay);
        return new FilledLog((long)senders.Length * framesOfGateway * FrameReadings, bytes);

        async Task SendAsync(Sender sender, (string Id, byte[] Data) message)
        {
            if (underWay.Count >= UnderWayMax)
            {
                await underWay.Dequeue();
            }

            underWay.Enqueue(connection.Window.PublishAsync(
                StreamNames.FrameSubject(
                    1, Partitions, sender.Gateway.Partition(Partitions), StreamKind.Live, sender.Gateway),
                message.Data,
                message.Id,
                default).AsTask());
        }
    }

    /// <summary>Rows of readings as this log has them, for whoever stores them in another way.</summary>
    public static ReadingBatch Rows(int gateway)
    {
        var sender = new Sender(GatewayId.Parse($"rows-{gateway}"), gateway, Options, TimeSpan.FromHours(1));
        sender.Next();
        return sender.Batch;
    }

    /// <summary>The types of a gateway's series.</summary>
    public static MetricType[] Types { get; } = [.. Definitions(Options).Select(d => d.Type)];

    private static GeneratorOptions OptionsOf(int series) => new() { Devices = series / 5, SeriesPerDevice = 5 };

    private static SeriesDefinition[] Definitions(GeneratorOptions options) =>
        [.. Enumerable.Range(0, options.Devices * options.SeriesPerDevice)
            .Select(i => GeneratorSeries.Define(options, i))];

    private sealed class Sender
    {
        private static readonly int[] Order = [.. Enumerable.Range(0, FrameReadings)];

        private readonly SchemaMessage _schema;
        private readonly GeneratorSeries[] _series;
        private readonly ulong _epoch = (ulong)Random.Shared.NextInt64(1, long.MaxValue);
        private readonly uint _process = (uint)Random.Shared.NextInt64(1, uint.MaxValue);
        private readonly WireWriter _writer = new(FrameHeader.BytesMax);
        private readonly MetricType[] _types;
        private long _time;
        private long _last;

        public Sender(GatewayId gateway, int seed, GeneratorOptions options, TimeSpan ago)
        {
            Gateway = gateway;
            var definitions = Definitions(options);
            _types = [.. definitions.Select(d => d.Type)];
            _time = NowMicros() - (ago.Ticks / TimeSpan.TicksPerMicrosecond);
            _schema = SchemaMessage.Of(SeriesList.Empty(gateway).Id, definitions);
            _series = [.. _types.Select((_, i) => GeneratorSeries.Of(options with { Seed = seed }, i, i))];
        }

        public GatewayId Gateway { get; }

        public ReadingBatch Batch { get; } = new(FrameReadings);

        public (string Id, byte[] Data) Schema()
        {
            var attempt = new Attempt(_process, 1);
            _writer.Clear();
            new FrameEnvelope(_time, attempt).Write(_writer);
            _schema.Write(_writer, Lane.Live);
            return (StreamNames.MessageId(Gateway, _schema.Id, Lane.Live, attempt), _writer.ToArray());
        }

        /// <summary>The next second's readings, sorted by series and time, as a live frame.</summary>
        public (string Id, byte[] Data) Next()
        {
            var each = FrameReadings / _series.Length;
            Batch.Clear();
            foreach (var series in _series)
            {
                for (var i = 0; i < each; i++)
                {
                    series.Next(Batch, _time + (i * (1_000_000 / each)));
                }
            }

            var key = new FrameKey(_epoch, Lane.Live, _last + 1, FrameReadings);
            var header = new FrameHeader
            {
                Version = FrameHeader.VersionMax,
                Kind = FrameKind.Readings,
                Key = key,
                Schema = _schema.Id,
                Predecessor = _last == 0 ? default(Predecessor) : null,
                Promise = new Promise(
                    _time - 1_000_000, [new EpochLasts(_epoch, default(LaneLasts).With(Lane.Live, key.Last))], 0),
            };
            (_last, _time) = (key.Last, _time + 1_000_000);
            var attempt = new Attempt(_process, 1);
            _writer.Clear();
            new FrameEnvelope(_time, attempt).Write(_writer);
            FrameWriter.Write(_writer, header, [], Batch, Order, _types);
            return (StreamNames.MessageId(Gateway, key, attempt), _writer.ToArray());
        }

        private static long NowMicros() =>
            (DateTime.UtcNow - DateTime.UnixEpoch).Ticks / TimeSpan.TicksPerMicrosecond;
    }
}
