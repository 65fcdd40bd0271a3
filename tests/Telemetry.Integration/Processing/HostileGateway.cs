using Telemetry.Model.Frames;
using Telemetry.Model.Identity;
using Telemetry.Model.Protocol;
using Telemetry.Model.Readings;
using Telemetry.Model.Schemas;
using Telemetry.Model.Wire;
using Telemetry.MqttSessions;
using Telemetry.TestKit.Messages;
using Telemetry.TestKit.Mqtt;

namespace Telemetry.Integration.Processing;

/// <summary>A gateway with every right that a gateway has, and no good will.</summary>
internal sealed class HostileGateway : IAsyncDisposable
{
    private const int UnderWayMax = 32;

    private readonly GatewayId _id;
    private readonly TestMqttClient _client;
    private readonly SemaphoreSlim _answers = new(0);
    private SchemaMessage _schema = SchemaMessage.Of(default, [new() { Device = "d", Metric = "m" }]);
    private int _attempts;

    public HostileGateway(GatewayId id, int port)
    {
        _id = id;
        var options = new TestMqttOptions
        {
            Port = port,
            ClientId = id.Value,
            UserName = id.Value,
            Password = id.Value,
        };
        _client = new TestMqttClient(options, (_, _) => _answers.Release());
    }

    /// <summary>Its frames that the ingress took.</summary>
    public int Frames { get; private set; }

    /// <summary>Its schemas that the ingress took.</summary>
    public int Schemas { get; private set; }

    /// <summary>What was refused, by reason code.</summary>
    public SortedDictionary<MqttReasonCode, int> Refused { get; } = [];

    public async Task Connect()
    {
        Assert.Equal(MqttReasonCode.Success, (await _client.ConnectAsync()).ReasonCode);
        await _client.SubscribeAsync(MqttTopics.Down(_id));
        await SendAll([SchemaOf(_schema)]);
    }

    /// <summary>
    /// Registers series with the hashes of the victims' ones, and sends frames with the victims' epoch and sequences,
    /// on its own topic and on theirs.
    /// </summary>
    public async Task ForgeKeys(IReadOnlyList<GatewayId> victims, int frames)
    {
        var forged = victims.Select(victim =>
            ForgedSeries.Of(_id, ForgedSeries.KeyOf(victim, HonestGateway.Series))).ToArray();
        _schema = SchemaMessage.Of(_schema.Id, forged);
        await SendAll([SchemaOf(_schema)]);
        await SendAll(Enumerable.Range(0, frames).SelectMany(number => victims.Select(victim => Frame(
            HonestGateway.Epoch, number + 1, MqttTopics.Frames(victim, Lane.Live)))));
        await SendAll(Enumerable.Range(0, frames).Select(number => Frame(HonestGateway.Epoch, number + 1)));
    }

    /// <summary>
    /// Registers so many schemas of one series each, every one on top of the one before, and uses the last.
    /// </summary>
    public async Task StepSchemas(int steps)
    {
        await SendAll(Enumerable.Range(0, steps).Select(step =>
        {
            _schema = SchemaMessage.Of(_schema.Id, [new() { Device = $"step {step}", Metric = "m" }]);
            return SchemaOf(_schema);
        }));
        await SendAll([Frame(epoch: 10, first: 1)]);
    }

    /// <summary>
    /// Names so many epochs that never were in hellos of the greatest size, each after the answer to the one before, as
    /// of those that wait together only the newest counts. Gives how many were answered.
    /// </summary>
    public async Task<int> NameEpochs(int epochs)
    {
        var answered = 0;
        for (var hello = 0; hello < epochs / Hello.EpochsMax; hello++)
        {
            while (_answers.CurrentCount > 0)
            {
                await _answers.WaitAsync();
            }

            await SendAll([MadeUp(hello)]);
            answered += await _answers.WaitAsync(TimeSpan.FromSeconds(2)) ? 1 : 0;
        }

        return answered;
    }

    /// <summary>Sends so many frames, each of an epoch of its own.</summary>
    public Task BeginEpochs(int epochs) =>
        SendAll(Enumerable.Range(0, epochs).Select(number => Frame((ulong)number + 5_000_000, first: 1)));

    public async ValueTask DisposeAsync()
    {
        await _client.DisposeAsync();
        _answers.Dispose();
    }

    private Sending MadeUp(int hello)
    {
        var writer = new WireWriter();
        new Hello
        {
            Id = new HelloId(1, hello + 1),
            Full = true,
            Outbox = 5,
            Accepted = 9,
            Epochs =
            [
                .. Enumerable.Range(0, Hello.EpochsMax).Select(i => new HelloEpoch(
                    (ulong)((hello * Hello.EpochsMax) + i + 1_000_000), new Predecessor(0, default),
                    [HelloLane.Empty, new HelloLane(1, 1, []), HelloLane.Empty])),
            ],
        }.Write(writer);
        return new Sending(MqttTopics.Hello(_id), writer.ToArray());
    }

    private Sending SchemaOf(SchemaMessage schema) =>
        new(MqttTopics.Frames(_id, Lane.Live), Message(writer => schema.Write(writer, Lane.Live)), IsSchema: true);

    private Sending Frame(ulong epoch, long first, string? topic = null)
    {
        var batch = new ReadingBatch();
        batch.Add(0, 1_700_000_000_000_000 + first, 1.5);
        var header = new FrameHeader
        {
            Key = new FrameKey(epoch, Lane.Live, first, 1),
            Schema = _schema.Id,
            Predecessor = first == 1 ? new Predecessor(0, default) : null,
        };
        return new(
            topic ?? MqttTopics.Frames(_id, Lane.Live),
            Message(writer => FrameWriter.Write(writer, header, [], batch, [0], [MetricType.Float])),
            IsFrame: true);
    }

    private byte[] Message(Action<WireWriter> write)
    {
        var writer = new WireWriter();
        new FrameEnvelope(1_700_000_000_000_000, new Attempt(8, ++_attempts)).Write(writer);
        var body = new WireWriter();
        write(body);
        writer.Bytes(body.Written);
        return writer.ToArray();
    }

    private async Task SendAll(IEnumerable<Sending> sendings)
    {
        var underWay = new Queue<(Sending Sending, Task<TestMqttAnswer> Result)>();
        foreach (var sending in sendings)
        {
            if (underWay.Count == UnderWayMax)
            {
                Note(underWay.Peek().Sending, await underWay.Dequeue().Result);
            }

            underWay.Enqueue((sending, _client.PublishAsync(sending.Topic, sending.Payload)));
        }

        foreach (var (sending, result) in underWay)
        {
            Note(sending, await result);
        }
    }

    private void Note(Sending sending, TestMqttAnswer result)
    {
        if (!result.IsSuccess)
        {
            Refused[result.ReasonCode] = Refused.GetValueOrDefault(result.ReasonCode) + 1;
            return;
        }

        Frames += sending.IsFrame ? 1 : 0;
        Schemas += sending.IsSchema ? 1 : 0;
    }

    private readonly record struct Sending(
        string Topic, byte[] Payload, bool IsFrame = false, bool IsSchema = false);
}
