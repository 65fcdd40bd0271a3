using Telemetry.Model.Frames;
using Telemetry.Model.Identity;
using Telemetry.Model.Protocol;
using Telemetry.Model.Readings;
using Telemetry.Model.Schemas;
using Telemetry.Model.Wire;
using Telemetry.TestKit.Mqtt;

namespace Telemetry.Integration.Processing;

/// <summary>
/// A gateway that takes a reading each 40 ms and sends what it has each 200 ms, as an agent would. A reading's time is
/// when it was due, so whatever holds up the sending counts as delay.
/// </summary>
internal sealed class HonestGateway : IAsyncDisposable
{
    /// <summary>What it measures: a series whose old 64-bit key the hostile gateway forges.</summary>
    public static readonly SeriesDefinition Series = new() { Device = "boiler", Metric = "temperature" };

    /// <summary>The epoch of its frames, which the hostile gateway uses too.</summary>
    public const ulong Epoch = 9;

    private const long MicrosPerReading = 40_000;

    // A reading takes about 15 bytes, and a frame may have 64 KiB.
    private const int FrameReadingsMax = 4_000;
    private static readonly TimeSpan FrameEvery = TimeSpan.FromMilliseconds(200);
    private static readonly TimeSpan RetryAfter = TimeSpan.FromMilliseconds(50);
    private static readonly SchemaMessage Schema = SchemaMessage.Of(default, [Series]);

    private readonly int _port;
    private readonly string _password;
    private readonly CancellationTokenSource _stop = new();
    private readonly Task _running;
    private TestMqttClient? _client;
    private volatile bool _reconnect, _givenUp;
    private long _sent;
    private int _attempts;

    /// <summary>Begins at once; its password is its id unless given.</summary>
    public HonestGateway(GatewayId id, int port, string? password = null)
    {
        (Id, _port, _password) = (id, port, password ?? id.Value);
        _running = Task.Run(RunAsync);
    }

    public GatewayId Id { get; }

    /// <summary>Readings whose frames the ingress acknowledged.</summary>
    public long Sent => Interlocked.Read(ref _sent);

    /// <summary>Tries that ended without an acknowledgement: a refusal, or no connection.</summary>
    public int Failures { get; private set; }

    /// <summary>Lets it give its connection up before the next frame and make a new one.</summary>
    public void Reconnect() => _reconnect = true;

    /// <summary>Stops it, the last frame acknowledged.</summary>
    public async Task Stop()
    {
        await _stop.CancelAsync();
        await _running;
    }

    /// <summary>Stops it where its last frame may never be acknowledged.</summary>
    public Task GiveUp()
    {
        _givenUp = true;
        return Stop();
    }

    public async ValueTask DisposeAsync()
    {
        await GiveUp();
        _stop.Dispose();
    }

    private async Task RunAsync()
    {
        await Publish(writer => Schema.Write(writer, Lane.Live));
        var began = Now();
        while (!_stop.IsCancellationRequested)
        {
            await Task.Delay(FrameEvery);
            await SendFrame(began, (int)Math.Min((Now() - began) / MicrosPerReading - _sent, FrameReadingsMax));
        }

        await (_client?.DisposeAsync() ?? ValueTask.CompletedTask);
    }

    private async Task SendFrame(long began, int readings)
    {
        var batch = new ReadingBatch();
        for (var number = _sent; number < _sent + readings; number++)
        {
            batch.Add(0, began + (number * MicrosPerReading), 20.5 + (number % 8));
        }

        var order = new int[batch.Count];
        batch.Order(order);
        var header = new FrameHeader { Key = new FrameKey(Epoch, Lane.Live, _sent + 1, readings), Schema = Schema.Id };
        await Publish(writer => FrameWriter.Write(writer, header, [], batch, order, [MetricType.Float]));
        Interlocked.Add(ref _sent, readings);
    }

    // Until it is acknowledged: nothing is given up.
    private async Task Publish(Action<WireWriter> write)
    {
        while (!_givenUp)
        {
            try
            {
                var result = await (await Client()).PublishAsync(MqttTopics.Frames(Id, Lane.Live), Message(write));
                if (result.IsSuccess)
                {
                    return;
                }
            }
            catch (IOException)
            {
                _reconnect = true;
            }

            Failures++;
            await Task.Delay(RetryAfter);
        }
    }

    private byte[] Message(Action<WireWriter> write)
    {
        var writer = new WireWriter();
        new FrameEnvelope(Now(), new Attempt(7, ++_attempts)).Write(writer);
        var body = new WireWriter();
        write(body);
        writer.Bytes(body.Written);
        return writer.ToArray();
    }

    private async Task<TestMqttClient> Client()
    {
        if (_client is not null && !_reconnect)
        {
            return _client;
        }

        await (_client?.DisposeAsync() ?? ValueTask.CompletedTask);
        _reconnect = false;
        _client = new TestMqttClient(new TestMqttOptions
        {
            Port = _port,
            ClientId = Id.Value,
            UserName = Id.Value,
            Password = _password,
        });
        var connected = await _client.ConnectAsync();
        _reconnect = !connected.IsSuccess;
        return _client;
    }

    private static long Now() => (DateTime.UtcNow - DateTime.UnixEpoch).Ticks / TimeSpan.TicksPerMicrosecond;
}
