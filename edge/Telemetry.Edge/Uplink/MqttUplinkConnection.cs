using System.Threading.Channels;
using Telemetry.Model;
using Telemetry.Model.Control;
using Telemetry.Mqtt;

namespace Telemetry.Edge.Uplink;

/// <summary>
/// One MQTT 5 connection. Called on the agent's loop; what comes down arrives on the client's own threads.
/// </summary>
internal sealed class MqttUplinkConnection : IUplinkConnection
{
    // At this many the oldest goes: the next hello asks for what it said.
    private const int DownMax = 64;

    private readonly MqttClient _client;
    private readonly Channel<ReadOnlyMemory<byte>> _down =
        Channels.Bounded<ReadOnlyMemory<byte>>(DownMax, singleReader: false);

    public MqttUplinkConnection(MqttClientOptions options, TimeProvider time) =>
        _client = new MqttClient(options, time, TakeDown);

    public int InFlightMax { get; private set; } = 1;

    public ChannelReader<ReadOnlyMemory<byte>> Down => _down.Reader;

    public Task Closed => _client.Closed;

    /// <summary>Connects and subscribes; throws <see cref="UplinkException"/>.</summary>
    public async Task OpenAsync(string downTopic, CancellationToken cancellationToken)
    {
        try
        {
            var answer = await _client.ConnectAsync(cancellationToken);
            if (!answer.IsSuccess)
            {
                throw Refused("connecting", answer.ReasonCode, answer.ReasonString);
            }

            InFlightMax = answer.ReceiveMaximum;
            var subscribed = await _client.SubscribeAsync([downTopic], MqttQos.AtMostOnce, cancellationToken);
            if (!subscribed.IsSuccess)
            {
                throw Refused($"subscribing to {downTopic}", subscribed.ReasonCodes[0], subscribed.ReasonString);
            }
        }
        catch (MqttConnectionException e)
        {
            throw new UplinkException(e.Message, e.IsTransient, e);
        }
        catch (InvalidOperationException e)
        {
            throw new UplinkException($"the connection ended while it was opened: {e.Message}", isTransient: true, e);
        }
    }

    public async ValueTask<PublishOutcome> PublishAsync(
        string topic, ReadOnlyMemory<byte> payload, CancellationToken cancellationToken)
    {
        try
        {
            var result = await _client.PublishAsync(topic, payload, MqttQos.AtLeastOnce, null, cancellationToken);
            return new PublishOutcome((byte)result.ReasonCode, ReceiptOf(result), result.ReasonString);
        }
        catch (MqttConnectionException e)
        {
            throw new UplinkException(e.Message, e.IsTransient, e);
        }
        catch (InvalidOperationException e)
        {
            throw new UplinkException(e.Message, isTransient: true, e);
        }
        catch (ArgumentException e)
        {
            // Larger than the server said that it takes: nobody but the server can change that.
            return new PublishOutcome((byte)MqttReasonCode.PacketTooLarge, null, e.Message);
        }
    }

    public async ValueTask DisposeAsync()
    {
        await _client.DisposeAsync();
        _down.Writer.TryComplete();
    }

    private static UplinkException Refused(string what, MqttReasonCode code, string? reason)
    {
        var final = code is MqttReasonCode.BadUserNameOrPassword or MqttReasonCode.NotAuthorized
            or MqttReasonCode.Banned
            or MqttReasonCode.ClientIdentifierNotValid or MqttReasonCode.UnsupportedProtocolVersion
            or MqttReasonCode.BadAuthenticationMethod;
        return new UplinkException($"{what} was refused: 0x{(byte)code:x2} {code} {reason}".TrimEnd(), !final);
    }

    private static string? ReceiptOf(PublishResult result)
    {
        foreach (var property in result.UserProperties)
        {
            if (property.Name == Receipt.PropertyName)
            {
                return property.Value;
            }
        }

        return null;
    }

    private ValueTask TakeDown(MqttMessage message)
    {
        ReadOnlyMemory<byte> copy = message.Payload.ToArray();
        while (!_down.Writer.TryWrite(copy) && !_down.Reader.Completion.IsCompleted)
        {
            _down.Reader.TryRead(out _);
        }

        return ValueTask.CompletedTask;
    }
}
