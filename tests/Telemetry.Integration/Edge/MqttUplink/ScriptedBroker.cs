using System.Net;
using System.Net.Security;
using System.Net.Sockets;
using System.Security.Cryptography.X509Certificates;
using MQTTnet.Adapter;
using MQTTnet.Formatter;
using MQTTnet.Packets;
using MQTTnet.Protocol;

namespace Telemetry.Integration.Edge.MqttUplink;

/// <summary>
/// A server that ends a connection which breaks its limits, as the standard asks, and otherwise does what a test says.
/// One connection at a time; it is not closed by the broker unless a limit is broken.
/// </summary>
internal sealed class ScriptedBroker : IAsyncDisposable
{
    private readonly Socket _listener = new(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
    private readonly SemaphoreSlim _writing = new(1);
    private readonly CancellationTokenSource _stop = new();
    private readonly Lock _lock = new();
    private readonly List<MqttPacket> _received = [];
    private readonly Task _accepting;
    private readonly MqttPacketFormatterAdapter _encoder = Codec();
    private Socket? _socket;
    private Stream? _stream;
    private int _unacknowledged;

    public ScriptedBroker()
    {
        _listener.Bind(new IPEndPoint(IPAddress.Loopback, 0));
        _listener.Listen();
        _accepting = AcceptAsync();
    }

    public int Port => ((IPEndPoint)_listener.LocalEndPoint!).Port;

    /// <summary>Its certificate; null speaks plain TCP.</summary>
    public X509Certificate2? Certificate { get; init; }

    /// <summary>Whose clients' certificates it takes; a client may show none.</summary>
    public X509Certificate2Collection Authorities { get; init; } = [];

    /// <summary>The answer to CONNECT, with the limits that it then enforces. Null: it never answers.</summary>
    public MqttConnAckPacket? ConnAck { get; init; } = new();

    /// <summary>The answer to a publish, when its task completes; null: never any.</summary>
    public Func<MqttPublishPacket, Task<MqttPubAckPacket?>> Answer { get; set; } =
        publish => Task.FromResult<MqttPubAckPacket?>(new() { PacketIdentifier = publish.PacketIdentifier });

    /// <summary>Connections that were accepted.</summary>
    public int Connections { get; private set; }

    /// <summary>The most publishes that ever waited for their PUBACK.</summary>
    public int UnacknowledgedMost { get; private set; }

    /// <summary>What broke a limit.</summary>
    public MqttDisconnectReasonCode? Broken { get; private set; }

    /// <summary>True once a client closed its connection in order.</summary>
    public bool HasEnded { get; private set; }

    /// <summary>The subject of the certificate that the client showed.</summary>
    public string? ClientSubject { get; private set; }

    /// <summary>Every packet that came, in order.</summary>
    public IReadOnlyList<MqttPacket> Received
    {
        get
        {
            lock (_lock)
            {
                return [.. _received];
            }
        }
    }

    public IEnumerable<MqttPublishPacket> Publishes => Received.OfType<MqttPublishPacket>();

    public Task SendAsync(MqttPacket packet) => SendAsync(Encode(packet));

    public async Task SendAsync(byte[] bytes)
    {
        await _writing.WaitAsync(_stop.Token);
        try
        {
            await _stream!.WriteAsync(bytes, _stop.Token);
        }
        finally
        {
            _writing.Release();
        }
    }

    /// <summary>Closes the connection in order, without a DISCONNECT.</summary>
    public void HangUp() => _socket!.Shutdown(SocketShutdown.Both);

    public async ValueTask DisposeAsync()
    {
        await _stop.CancelAsync();
        _listener.Dispose();
        await _accepting;
    }

    private static MqttPacketFormatterAdapter Codec() =>
        new(MqttProtocolVersion.V500, new MqttBufferWriter(4096, 65535));

    private byte[] Encode(MqttPacket packet)
    {
        lock (_encoder)
        {
            var bytes = _encoder.Encode(packet).Join().ToArray();
            _encoder.Cleanup();
            return bytes;
        }
    }

    private async Task AcceptAsync()
    {
        while (!_stop.IsCancellationRequested)
        {
            try
            {
                using var socket = await _listener.AcceptAsync(_stop.Token);
                socket.NoDelay = true;
                Connections++;
                _socket = socket;
                await using var stream = await SecuredAsync(new NetworkStream(socket));
                _stream = stream;
                await ServeAsync(stream);
            }
            catch (Exception e) when (
                e is IOException or SocketException or OperationCanceledException or ObjectDisposedException
                    or System.Security.Authentication.AuthenticationException)
            {
                // The connection ended one way or another, or the broker is disposed; tests look at what was received.
            }
        }
    }

    private async Task<Stream> SecuredAsync(Stream stream)
    {
        if (Certificate is null)
        {
            return stream;
        }

        var policy = new X509ChainPolicy
        {
            RevocationMode = X509RevocationMode.NoCheck,
            TrustMode = X509ChainTrustMode.CustomRootTrust,
        };
        policy.CustomTrustStore.AddRange(Authorities);
        var tls = new SslStream(stream);
        await tls.AuthenticateAsServerAsync(
            new SslServerAuthenticationOptions
            {
                ServerCertificate = Certificate,
                ClientCertificateRequired = true,
                CertificateChainPolicy = policy,
                RemoteCertificateValidationCallback =
                    (_, shown, _, errors) => shown is null || errors == SslPolicyErrors.None,
            },
            _stop.Token);
        ClientSubject = tls.RemoteCertificate?.Subject;
        return tls;
    }

    private async Task ServeAsync(Stream stream)
    {
        var decoder = Codec();
        var one = new byte[1];
        while (await stream.ReadAsync(one, _stop.Token) == 1)
        {
            var flags = one[0];
            var (length, header) = (0, 1);
            do
            {
                await stream.ReadExactlyAsync(one, _stop.Token);
                length |= (one[0] & 0x7f) << (7 * (header - 1));
                header++;
            }
            while ((one[0] & 0x80) != 0);

            var body = new byte[length];
            await stream.ReadExactlyAsync(body, _stop.Token);
            var packet = decoder.Decode(new ReceivedMqttPacket(flags, body, header + length));
            if (header + length > (ConnAck?.MaximumPacketSize is > 0 and { } most ? most : uint.MaxValue))
            {
                Broken ??= MqttDisconnectReasonCode.PacketTooLarge;
            }

            lock (_lock)
            {
                _received.Add(packet);
            }

            await HandleAsync(packet);
            if (Broken is { } code)
            {
                await SendAsync(new MqttDisconnectPacket { ReasonCode = code });
                return;
            }
        }

        HasEnded = true;
    }

    private async Task HandleAsync(MqttPacket packet)
    {
        switch (packet)
        {
            case MqttConnectPacket when ConnAck is not null:
                _unacknowledged = 0;
                await SendAsync(ConnAck);
                break;
            case MqttSubscribePacket subscribe:
                await SendAsync(new MqttSubAckPacket
                {
                    PacketIdentifier = subscribe.PacketIdentifier,
                    ReasonCodes = [MqttSubscribeReasonCode.GrantedQoS0],
                });
                break;
            case MqttPingReqPacket:
                await SendAsync(MqttPingRespPacket.Instance);
                break;
            case MqttPublishPacket publish:
                UnacknowledgedMost = Math.Max(UnacknowledgedMost, Interlocked.Increment(ref _unacknowledged));
                if (_unacknowledged > (ConnAck?.ReceiveMaximum is > 0 and { } most ? most : ushort.MaxValue))
                {
                    Broken ??= MqttDisconnectReasonCode.ReceiveMaximumExceeded;
                }

                _ = AnswerAsync(publish);
                break;
        }
    }

    private async Task AnswerAsync(MqttPublishPacket publish)
    {
        try
        {
            if (await Answer(publish) is { } answer)
            {
                Interlocked.Decrement(ref _unacknowledged);
                await SendAsync(answer);
            }
        }
        catch (Exception e) when (e is IOException or OperationCanceledException or ObjectDisposedException)
        {
            // The client went without waiting for it.
        }
    }
}
