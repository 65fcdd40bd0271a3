using System.Buffers;
using System.Security.Cryptography.X509Certificates;
using MQTTnet;
using MQTTnet.Formatter;
using MQTTnet.Packets;
using MQTTnet.Protocol;
using Telemetry.MqttSessions;
using MqttUserProperty = Telemetry.MqttSessions.MqttUserProperty;

namespace Telemetry.TestKit.Mqtt;

/// <summary>How a <see cref="TestMqttClient"/> connects.</summary>
public sealed record TestMqttOptions
{
    public required int Port { get; init; }
    public required string ClientId { get; init; }
    public string? UserName { get; init; }
    public string? Password { get; init; }

    /// <summary>Authorities whose server certificates are trusted; null speaks plain TCP.</summary>
    public X509Certificate2Collection? Authorities { get; init; }

    /// <summary>The certificate that it shows; null shows none.</summary>
    public X509Certificate2? Certificate { get; init; }
}

/// <summary>The server's answer to a CONNECT or a publish.</summary>
public sealed record TestMqttAnswer(
    MqttReasonCode ReasonCode, string? ReasonString, IReadOnlyList<MqttUserProperty> UserProperties)
{
    public bool IsSuccess => ReasonCode < MqttReasonCode.UnspecifiedError;
}

/// <summary>
/// MQTTnet's client on the loopback, in our words. It keeps no window: whoever publishes keeps to the server's Receive
/// Maximum. A connection that is lost, or was never there, ends a call with <see cref="IOException"/>.
/// </summary>
public sealed class TestMqttClient : IAsyncDisposable
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(30);

    private readonly IMqttClient _client = new MqttClientFactory().CreateMqttClient();
    private readonly MqttClientOptions _options;
    private readonly TaskCompletionSource<MqttReasonCode> _closed =
        new(TaskCreationOptions.RunContinuationsAsynchronously);

    /// <summary>Not connected yet; <paramref name="received"/> gets each message's topic and payload.</summary>
    public TestMqttClient(TestMqttOptions options, Action<string, byte[]>? received = null)
    {
        var builder = new MqttClientOptionsBuilder()
            .WithTcpServer("127.0.0.1", options.Port)
            .WithProtocolVersion(MqttProtocolVersion.V500)
            .WithClientId(options.ClientId)
            .WithTimeout(Patience);
        if (options.UserName is not null)
        {
            builder.WithCredentials(options.UserName, options.Password);
        }

        if (options.Authorities is { } authorities)
        {
            builder.WithTlsOptions(tls =>
            {
                tls.WithTrustChain(authorities).WithRevocationMode(X509RevocationMode.NoCheck);
                if (options.Certificate is { } certificate)
                {
                    tls.WithClientCertificates([certificate]);
                }
            });
        }

        _options = builder.Build();
        _client.DisconnectedAsync += left =>
        {
            _closed.TrySetResult((MqttReasonCode)left.Reason);
            return Task.CompletedTask;
        };
        _client.ApplicationMessageReceivedAsync += message =>
        {
            received?.Invoke(message.ApplicationMessage.Topic, message.ApplicationMessage.Payload.ToArray());
            return Task.CompletedTask;
        };
    }

    /// <summary>Completes when the connection ends, with the reason code of the server's DISCONNECT, if any.</summary>
    public Task<MqttReasonCode> Closed => _closed.Task;

    /// <summary>True while it is connected.</summary>
    public bool IsConnected => _client.IsConnected;

    /// <summary>Connects; a refusal is an answer.</summary>
    public async Task<TestMqttAnswer> ConnectAsync(CancellationToken cancellationToken = default)
    {
        var result = await Reaching(_client.ConnectAsync(_options, cancellationToken));
        return new((MqttReasonCode)result.ResultCode, Text(result.ReasonString), Properties(result.UserProperties));
    }

    /// <summary>Publishes with QoS 1, or 0, which has no answer and is always a success.</summary>
    public async Task<TestMqttAnswer> PublishAsync(string topic, ReadOnlyMemory<byte> payload, bool acknowledged = true)
    {
        var result = await Reaching(_client.PublishAsync(new MqttApplicationMessage
        {
            Topic = topic,
            Payload = new ReadOnlySequence<byte>(payload),
            QualityOfServiceLevel =
                acknowledged ? MqttQualityOfServiceLevel.AtLeastOnce : MqttQualityOfServiceLevel.AtMostOnce,
        }));
        return new((MqttReasonCode)result.ReasonCode, Text(result.ReasonString), Properties(result.UserProperties));
    }

    /// <summary>Subscribes with QoS 1; gives the code of each filter.</summary>
    public async Task<IReadOnlyList<MqttReasonCode>> SubscribeAsync(params string[] filters)
    {
        var options = new MqttClientSubscribeOptionsBuilder();
        foreach (var filter in filters)
        {
            options.WithTopicFilter(filter, MqttQualityOfServiceLevel.AtLeastOnce);
        }

        var result = await _client.SubscribeAsync(options.Build());
        return [.. result.Items.Select(item => (MqttReasonCode)item.ResultCode)];
    }

    /// <summary>Gives filters up; gives the code of each.</summary>
    public async Task<IReadOnlyList<MqttReasonCode>> UnsubscribeAsync(string filter)
    {
        var result = await _client.UnsubscribeAsync(filter);
        return [.. result.Items.Select(item => (MqttReasonCode)item.ResultCode)];
    }

    /// <summary>Says DISCONNECT.</summary>
    public Task DisconnectAsync() => _client.DisconnectAsync();

    public async ValueTask DisposeAsync()
    {
        if (_client.IsConnected)
        {
            try
            {
                await _client.DisconnectAsync();
            }
            catch (MQTTnet.Exceptions.MqttCommunicationException)
            {
                // The server was faster.
            }
        }

        _client.Dispose();
    }

    private static async Task<T> Reaching<T>(Task<T> call)
    {
        try
        {
            return await call;
        }
        catch (Exception e) when (e is not OperationCanceledException)
        {
            throw new IOException(e.Message, e);
        }
    }

    private static string? Text(string? text) => text is { Length: > 0 } ? text : null;

    private static IReadOnlyList<MqttUserProperty> Properties(
        IReadOnlyCollection<MQTTnet.Packets.MqttUserProperty>? properties) =>
        properties is null ? [] : [.. properties.Select(p => new MqttUserProperty(p.Name, p.ReadValueAsString()))];
}
