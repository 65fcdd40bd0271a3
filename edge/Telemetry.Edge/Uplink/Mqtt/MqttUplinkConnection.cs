using System.Buffers;
using System.Net;
using System.Reflection;
using System.Text;
using System.Threading.Channels;
using MQTTnet;
using MQTTnet.Exceptions;
using MQTTnet.Formatter;
using MQTTnet.Packets;
using MQTTnet.Protocol;
using Telemetry.Model.Identity;
using Telemetry.Model.Protocol;
using Telemetry.Runtime;

namespace Telemetry.Edge.Uplink.Mqtt;

/// <summary>
/// One MQTT 5 connection, on MQTTnet's client. Called on the agent's loop; messages from the cloud arrive on the
/// client's own threads.
/// </summary>
internal sealed class MqttUplinkConnection : IUplinkConnection
{
    // At this number the oldest message is dropped; the next hello asks for its content again.
    private const int DownMax = 64;

    // An answer to a hello may be larger than a frame.
    private const int ReceivedPacketBytesMax = 1024 * 1024;
    private const int ReceiveMaximum = 32;
    private const uint PacketBytesLargest = 268_435_460;

    private static readonly TimeSpan PingAnswerTimeout = TimeSpan.FromSeconds(10);
    private static readonly TimeSpan DisconnectTimeout = TimeSpan.FromSeconds(1);

    private readonly IMqttClient _client = new MqttClientFactory().CreateMqttClient();
    private readonly MqttUplinkOptions _options;
    private readonly MqttClientOptions _clientOptions;
    private readonly TimeProvider _time;
    private readonly MqttDialer _dialer;
    private readonly TaskCompletionSource _closed = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly CancellationTokenSource _ended = new();
    private readonly Channel<ReadOnlyMemory<byte>> _down =
        Channels.Bounded<ReadOnlyMemory<byte>>(DownMax, singleReader: false);
    private MqttStream? _stream;
    private PublishQueue? _publishes;
    private UplinkException? _end;
    private uint _packetBytesMax = PacketBytesLargest;

    public MqttUplinkConnection(MqttUplinkOptions options, MqttTls? tls, GatewayId gateway, TimeProvider time)
    {
        (_options, _time) = (options, time);
        _dialer = new MqttDialer(options, tls, ReceivedPacketBytesMax, time);
        _clientOptions = new MqttClientOptions
        {
            ProtocolVersion = MqttProtocolVersion.V500,
            ClientId = gateway.Value,
            Credentials = new MqttClientCredentials(
                options.User.Length > 0 ? options.User : gateway.Value,
                options.Password.Length > 0 ? Encoding.UTF8.GetBytes(options.Password) : null),
            KeepAlivePeriod = options.KeepAlive,
            MaximumPacketSize = ReceivedPacketBytesMax,
            ReceiveMaximum = ReceiveMaximum,

            // For people: a server that does not know the property ignores it.
            UserProperties = [new MqttUserProperty(MqttTopics.AgentVersionProperty, AgentVersion())],
            ChannelOptions = new MqttClientTcpOptions
            {
                RemoteEndpoint = new DnsEndPoint(options.Host, options.Port),
                StreamProvider = _dialer,
            },

            // A packet is one write: in two, its header would be a TCP segment and a TLS record of its own.
            AllowPacketFragmentation = false,
        };
        _client.ApplicationMessageReceivedAsync += TakeDown;
        _client.DisconnectedAsync += Disconnected;
    }

    public int InFlightMax { get; private set; } = 1;

    public ChannelReader<ReadOnlyMemory<byte>> Down => _down.Reader;

    public Task Closed => _closed.Task;

    /// <summary>Connects and subscribes; throws <see cref="UplinkException"/>.</summary>
    public async Task OpenAsync(string downTopic, CancellationToken cancellationToken)
    {
        var stream = _stream = await _dialer.OpenAsync(cancellationToken);

        // MQTTnet's own keep-alive waits for its answer for half of the period, whatever bytes move meanwhile, ignores
        // the server's period, and uses the wall clock. The CONNECT has sent the period to the server, so it can be
        // turned off now.
        stream.FirstPacket = () => _clientOptions.KeepAlivePeriod = TimeSpan.MaxValue;
        var answer = await ConnectAsync(cancellationToken);
        InFlightMax = answer.ReceiveMaximum is > 0 and { } receiveMaximum ? receiveMaximum : ushort.MaxValue;
        _packetBytesMax = answer.MaximumPacketSize is > 0 and { } bytes ? bytes : PacketBytesLargest;
        _publishes = new PublishQueue(InFlightMax, Begin);
        _ = KeepAliveAsync(
            stream, answer.ServerKeepAlive > 0 ? TimeSpan.FromSeconds(answer.ServerKeepAlive) : _options.KeepAlive);
        await SubscribeAsync(downTopic, cancellationToken);
    }

    public async ValueTask<PublishOutcome> PublishAsync(
        string topic, ReadOnlyMemory<byte> payload, CancellationToken cancellationToken)
    {
        cancellationToken.ThrowIfCancellationRequested();
        if (_publishes is not { } publishes)
        {
            throw new UplinkException("not connected yet", isTransient: true);
        }

        // Larger than the server's limit; only the server can change that.
        return PublishPacket.Bytes(topic, payload.Length) > _packetBytesMax
            ? new PublishOutcome(
                (byte)MqttDisconnectReasonCode.PacketTooLarge, null, "packet is larger than the server takes")
            : await publishes.PublishAsync(topic, payload, cancellationToken);
    }

    /// <summary>Sends DISCONNECT and closes, within about a second. Publishes that wait for a PUBACK fail.</summary>
    public async ValueTask DisposeAsync()
    {
        End("client disconnected");
        using var limit = new CancellationTokenSource(DisconnectTimeout, _time);
        try
        {
            await _client.DisconnectAsync(new MqttClientDisconnectOptions(), limit.Token);
        }
        catch (Exception e) when (
            e is MqttCommunicationException or OperationCanceledException or ObjectDisposedException)
        {
            // The link is gone, or accepts no packet any more: close it without a DISCONNECT.
        }

        if (_stream is { } stream)
        {
            await stream.CloseAsync();
        }

        _client.Dispose();
        _down.Writer.TryComplete();
    }

    // Encoded, as the library wants a value.
    private static byte[] AgentVersion() => Encoding.UTF8.GetBytes(
        typeof(MqttUplinkConnection).Assembly.GetCustomAttribute<AssemblyInformationalVersionAttribute>()
            ?.InformationalVersion.Split('+')[0] ?? "");

    // Reason codes that only an operator can resolve.
    private static bool IsFinal(int code) => code is (int)MqttConnectReasonCode.UnsupportedProtocolVersion
        or (int)MqttConnectReasonCode.ClientIdentifierNotValid or (int)MqttConnectReasonCode.BadUserNameOrPassword
        or (int)MqttConnectReasonCode.NotAuthorized or (int)MqttConnectReasonCode.Banned
        or (int)MqttConnectReasonCode.BadAuthenticationMethod;

    private static UplinkException Refused(string what, int code, string name, string? reason) =>
        new($"{what} was refused: 0x{code:x2} {name} {reason}".TrimEnd(), !IsFinal(code));

    private static string? ReceiptOf(MqttClientPublishResult result)
    {
        foreach (var property in result.UserProperties)
        {
            if (property.Name == Receipt.PropertyName)
            {
                return property.ReadValueAsString();
            }
        }

        return null;
    }

    private async Task<MqttClientConnectResult> ConnectAsync(CancellationToken cancellationToken)
    {
        using var timeout = new CancellationTokenSource(_options.ConnectTimeout, _time);
        using var both = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken, timeout.Token);
        MqttClientConnectResult answer;
        try
        {
            answer = await _client.ConnectAsync(_clientOptions, both.Token);
        }
        catch (Exception e)
        {
            cancellationToken.ThrowIfCancellationRequested();
            throw timeout.IsCancellationRequested
                ? new UplinkException("MQTT connection failed: no CONNACK came in time", isTransient: true, e)
                : Ended(e);
        }

        if (answer.ResultCode >= MqttClientConnectResultCode.UnspecifiedError)
        {
            var name = answer.ResultCode.ToString();
            throw Refused(
                "connecting", (int)answer.ResultCode, name, answer.ReasonString ?? $"server refused: {name}");
        }

        return answer.IsSessionPresent
            ? throw new UplinkException("MQTT connection closed: session present after a clean start", true)
            : answer;
    }

    private async Task SubscribeAsync(string topic, CancellationToken cancellationToken)
    {
        var options = new MqttClientSubscribeOptions
        {
            TopicFilters = [new MqttTopicFilter
            {
                Topic = topic,
                QualityOfServiceLevel = MqttQualityOfServiceLevel.AtMostOnce,
            }],
        };
        MqttClientSubscribeResult answer;
        try
        {
            answer = await _client.SubscribeAsync(options, _ended.Token).WaitAsync(cancellationToken);
        }
        catch (Exception e)
        {
            cancellationToken.ThrowIfCancellationRequested();
            throw Ended(e);
        }

        var code = answer.Items.First().ResultCode;
        if (code >= MqttClientSubscribeResultCode.UnspecifiedError)
        {
            throw Refused($"subscribing to {topic}", (int)code, code.ToString(), answer.ReasonString);
        }
    }

    private (Task<PublishOutcome> Acknowledged, Task Written) Begin(string topic, ReadOnlyMemory<byte> payload)
    {
        var written = _stream!.PublishesWritten;
        return (AcknowledgedAsync(topic, payload), _stream.WrittenMoreThanAsync(written));
    }

    private async Task<PublishOutcome> AcknowledgedAsync(string topic, ReadOnlyMemory<byte> payload)
    {
        try
        {
            // No token: it would reach the socket and could cut a packet in two.
            var result = await _client.PublishAsync(
                new MqttApplicationMessage
                {
                    Topic = topic,
                    Payload = new ReadOnlySequence<byte>(payload),
                    QualityOfServiceLevel = MqttQualityOfServiceLevel.AtLeastOnce,
                },
                CancellationToken.None);
            return new PublishOutcome((byte)result.ReasonCode, ReceiptOf(result), result.ReasonString);
        }
        catch (Exception e)
        {
            throw Ended(e);
        }
    }

    private async Task KeepAliveAsync(MqttStream stream, TimeSpan period)
    {
        try
        {
            var keepAlive = new KeepAlive(period, PingAnswerTimeout);
            await keepAlive.WatchAsync(stream, () => _client.PingAsync(_ended.Token), _time, _ended.Token);
            End("no PINGRESP came in time");
        }
        catch (OperationCanceledException) when (_ended.IsCancellationRequested)
        {
            // The connection has ended.
        }
        catch (Exception e)
        {
            Ended(e);
        }
    }

    private Task Disconnected(MqttClientDisconnectedEventArgs e)
    {
        if (e.Exception is not null || _stream!.EndReason is not null)
        {
            Ended(e.Exception);
        }
        else
        {
            EndByServer((int)e.Reason, e.Reason.ToString(), e.ReasonString);
        }

        return Task.CompletedTask;
    }

    // Translates an exception of MQTTnet: the connection has ended, for the first reason that was seen.
    private UplinkException Ended(Exception? e)
    {
        if (e is MqttClientUnexpectedDisconnectReceivedException { ReasonCode: { } code } disconnect)
        {
            EndByServer((int)code, code.ToString(), disconnect.ReasonString);
        }
        else
        {
            End(_stream!.EndReason ?? e?.GetBaseException().Message ?? "it was closed");
        }

        return new UplinkException(_end!.Message, _end.IsTransient, e);
    }

    private void EndByServer(int code, string name, string? reason) => End(
        reason ?? $"server disconnected: {name}", !IsFinal(code) && code != (int)MqttDisconnectReasonCode.ServerMoved);

    private void End(string why, bool isTransient = true)
    {
        var end = new UplinkException($"MQTT connection closed: {why}", isTransient);
        if (Interlocked.CompareExchange(ref _end, end, null) is null)
        {
            _publishes?.End(end.Message, end.IsTransient);
            _ended.Cancel();
            _closed.TrySetResult();
        }
    }

    private Task TakeDown(MqttApplicationMessageReceivedEventArgs e)
    {
        ReadOnlyMemory<byte> copy = e.ApplicationMessage.Payload.ToArray();
        while (!_down.Writer.TryWrite(copy) && !_down.Reader.Completion.IsCompleted)
        {
            _down.Reader.TryRead(out _);
        }

        return Task.CompletedTask;
    }
}
