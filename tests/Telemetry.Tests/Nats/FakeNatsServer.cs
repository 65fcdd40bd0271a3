using System.Globalization;
using System.IO.Pipelines;
using System.Text;
using System.Threading.Channels;
using Telemetry.Nats;
using Telemetry.Testing.Time;

namespace Telemetry.Tests.Nats;

/// <summary>
/// A server that does only what the test says, over pipes in memory. Each connect of the client becomes a
/// <see cref="FakeNatsPeer"/>; a test may refuse connects.
/// </summary>
internal sealed class FakeNatsServer
{
    private readonly Channel<FakeNatsPeer> _peers = Channel.CreateUnbounded<FakeNatsPeer>();

    /// <summary>While set, connects fail with it.</summary>
    public Exception? Refusal { get; set; }

    public int Connects { get; private set; }

    /// <summary>A connect waits to be accepted.</summary>
    public bool HasConnect => _peers.Reader.TryPeek(out _);

    public ValueTask<Stream> OpenStream(NatsServerAddress address, CancellationToken ct)
    {
        Connects++;
        if (Refusal is { } refusal)
        {
            throw refusal;
        }

        var peer = new FakeNatsPeer(address.ToString());
        _peers.Writer.TryWrite(peer);
        return ValueTask.FromResult(peer.ClientSide);
    }

    /// <summary>The next connect, not yet greeted.</summary>
    public Task<FakeNatsPeer> Accept() => _peers.Reader.ReadAsync().AsTask().WaitAsync(TimeSpan.FromSeconds(20));

    /// <summary>The next connect, after its handshake.</summary>
    public async Task<FakeNatsPeer> AcceptReady()
    {
        var peer = await Accept();
        await peer.Greet();
        return peer;
    }
}

internal static class FakeNatsClocks
{
    /// <summary>Disposes while the clock moves, since a fake server does not answer the last PING.</summary>
    public static async Task DisposeAsync(this NatsConnection connection, SimulatedClock clock)
    {
        var disposing = connection.DisposeAsync().AsTask();
        while (!disposing.IsCompleted)
        {
            clock.Advance(TimeSpan.FromMilliseconds(1));
            await Task.Yield();
        }

        await disposing;
    }

    /// <summary>
    /// Moves the clock until the client has begun its next connect (a short delay may have passed without), and not
    /// further: its timeouts run by that clock.
    /// </summary>
    public static async Task<FakeNatsPeer> AcceptNext(this FakeNatsServer server, SimulatedClock clock)
    {
        while (!server.HasConnect)
        {
            clock.Advance(TimeSpan.FromMilliseconds(10));
            await Task.Yield();
        }

        return await server.AcceptReady();
    }
}

/// <summary>One operation that the client sent; a publish has its fields.</summary>
internal sealed record FakeOperation(string Name, string[] Fields, string Headers, string Payload)
{
    public string Subject => Fields[0];

    /// <summary>Of PUB and HPUB.</summary>
    public string ReplyTo => Fields[1];
}

internal sealed class FakeNatsPeer
{
    public const string DefaultInfo =
        """{"server_id":"FAKE","version":"2.9.10","headers":true,"jetstream":true,"max_payload":1048576}""";

    private readonly Pipe _toClient = new(new PipeOptions(pauseWriterThreshold: 0));
    private readonly Pipe _fromClient = new(new PipeOptions(pauseWriterThreshold: 64 * 1024, resumeWriterThreshold: 1));

    public FakeNatsPeer(string address)
    {
        Address = address;
        ClientSide = new PipeStream(_toClient.Reader, _fromClient.Writer);
    }

    public string Address { get; }

    public Stream ClientSide { get; }

    public async Task Greet(string info = DefaultInfo)
    {
        await Send($"INFO {info}\r\n");
        Assert.Equal("CONNECT", (await Read()).Name);
        Assert.Equal("PING", (await Read()).Name);
        await Send("PONG\r\n");
    }

    public async Task Send(string text) => await _toClient.Writer.WriteAsync(Encoding.UTF8.GetBytes(text));

    public Task Deliver(long subscription, string subject, string payload, string replyTo = "") =>
        Send($"MSG {subject} {subscription} {replyTo} {Encoding.UTF8.GetByteCount(payload)}\r\n{payload}\r\n");

    /// <summary>A message of headers alone, as statuses are.</summary>
    public Task DeliverStatus(long subscription, string subject, string status, params string[] headers)
    {
        var block = $"NATS/1.0 {status}\r\n{string.Concat(headers.Select(header => header + "\r\n"))}\r\n";
        return Send($"HMSG {subject} {subscription} {block.Length} {block.Length}\r\n{block}\r\n");
    }

    /// <summary>The link breaks, as the client sees it.</summary>
    public async Task Cut()
    {
        await _toClient.Writer.CompleteAsync();
        await _fromClient.Reader.CompleteAsync();
    }

    /// <summary>The next operation of the client; names and fields are parted by blanks.</summary>
    public async Task<FakeOperation> Read()
    {
        using var limit = new CancellationTokenSource(TimeSpan.FromSeconds(20));
        while (true)
        {
            var read = await _fromClient.Reader.ReadAsync(limit.Token);
            var bytes = Encoding.UTF8.GetString(System.Buffers.BuffersExtensions.ToArray(read.Buffer));
            if (TryParse(bytes, out var operation, out var used))
            {
                _fromClient.Reader.AdvanceTo(read.Buffer.GetPosition(used));
                return operation;
            }

            Assert.False(read.IsCompleted, "The client closed the connection");
            _fromClient.Reader.AdvanceTo(read.Buffer.Start, read.Buffer.End);
        }
    }

    /// <summary>Reads on until an operation of that name; the ones before are passed over.</summary>
    public async Task<FakeOperation> ReadUntil(string name)
    {
        while (true)
        {
            if (await Read() is var operation && operation.Name == name)
            {
                return operation;
            }
        }
    }

    private static bool TryParse(string text, out FakeOperation operation, out int used)
    {
        operation = null!;
        used = 0;
        var end = text.IndexOf("\r\n", StringComparison.Ordinal);
        if (end < 0)
        {
            return false;
        }

        var parts = text[..end].Split(' ');
        var (name, fields) = (parts[0], parts[1..]);
        used = end + 2;
        if (name is not ("PUB" or "HPUB"))
        {
            operation = new(name, fields, "", "");
            return true;
        }

        var sizes = name == "PUB" ? 1 : 2;
        var total = int.Parse(fields[^1], CultureInfo.InvariantCulture);
        var headers = sizes == 2 ? int.Parse(fields[^2], CultureInfo.InvariantCulture) : 0;
        if (text.Length < used + total + 2)
        {
            return false;
        }

        var replyTo = fields.Length == sizes + 2 ? fields[1] : "";
        operation = new(
            name, [fields[0], replyTo], text.Substring(used, headers), text.Substring(used + headers, total - headers));
        used += total + 2;
        return true;
    }

    /// <summary>Two pipes as one stream; disposing it is the client hanging up.</summary>
    private sealed class PipeStream(PipeReader reader, PipeWriter writer) : Stream
    {
        private readonly Stream _in = reader.AsStream();
        private readonly CancellationTokenSource _disposed = new();

        public override bool CanRead => true;

        public override bool CanWrite => true;

        public override bool CanSeek => false;

        public override long Length => throw new NotSupportedException();

        public override long Position
        {
            get => throw new NotSupportedException();
            set => throw new NotSupportedException();
        }

        public override async ValueTask<int> ReadAsync(
            Memory<byte> buffer, CancellationToken cancellationToken = default)
        {
            using var either = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken, _disposed.Token);
            return await Guard(_in.ReadAsync(buffer, either.Token));
        }

        public override async ValueTask WriteAsync(
            ReadOnlyMemory<byte> buffer, CancellationToken cancellationToken = default)
        {
            using var either = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken, _disposed.Token);
            var result = await Guard(writer.WriteAsync(buffer, either.Token));
            if (result.IsCompleted)
            {
                throw new IOException("The peer is gone");
            }
        }

        public override void Flush()
        {
        }

        public override int Read(byte[] buffer, int offset, int count) => throw new NotSupportedException();

        public override long Seek(long offset, SeekOrigin origin) => throw new NotSupportedException();

        public override void SetLength(long value) => throw new NotSupportedException();

        public override void Write(byte[] buffer, int offset, int count) => throw new NotSupportedException();

        protected override void Dispose(bool disposing)
        {
            _disposed.Cancel();
            base.Dispose(disposing);
        }

        private async ValueTask<T> Guard<T>(ValueTask<T> action)
        {
            try
            {
                return await action;
            }
            catch (OperationCanceledException) when (_disposed.IsCancellationRequested)
            {
                throw new ObjectDisposedException(nameof(PipeStream));
            }
        }
    }
}
