namespace Telemetry.Tests.Mqtt;

/// <summary>One end of a link in memory. What one end writes the other reads; disposing an end ends both.</summary>
internal sealed class LinkStream : Stream
{
    private readonly Queue<byte[]> _arrived = [];
    private LinkStream _other = null!;
    private TaskCompletionSource? _reader;
    private bool _isCut;

    public override bool CanRead => true;
    public override bool CanWrite => true;
    public override bool CanSeek => false;
    public override long Length => throw new NotSupportedException();

    public override long Position
    {
        get => throw new NotSupportedException();
        set => throw new NotSupportedException();
    }

    public static (LinkStream, LinkStream) Pair()
    {
        LinkStream one = new(), two = new();
        (one._other, two._other) = (two, one);
        return (one, two);
    }

    public override async ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken = default)
    {
        while (_arrived.Count == 0)
        {
            cancellationToken.ThrowIfCancellationRequested();
            if (_isCut) return 0;
            _reader = new TaskCompletionSource();
            await using (cancellationToken.Register(Wake)) await _reader.Task;
        }
        byte[] first = _arrived.Peek();
        Assert.True(buffer.Length >= first.Length);
        first.CopyTo(buffer);
        return _arrived.Dequeue().Length;
    }

    public override ValueTask WriteAsync(ReadOnlyMemory<byte> buffer, CancellationToken cancellationToken = default)
    {
        if (_isCut) throw new IOException("the link is cut");
        // Piecemeal, so that packets arrive torn.
        for (int at = 0; at < buffer.Length; at += 7)
            _other._arrived.Enqueue(buffer.Slice(at, Math.Min(7, buffer.Length - at)).ToArray());
        _other.Wake();
        return ValueTask.CompletedTask;
    }

    public override int Read(byte[] buffer, int offset, int count) => throw new NotSupportedException();
    public override void Write(byte[] buffer, int offset, int count) => throw new NotSupportedException();
    public override long Seek(long offset, SeekOrigin origin) => throw new NotSupportedException();
    public override void SetLength(long value) => throw new NotSupportedException();
    public override void Flush() { }

    public void Cut()
    {
        _isCut = _other._isCut = true;
        Wake();
        _other.Wake();
    }

    protected override void Dispose(bool disposing)
    {
        Cut();
        base.Dispose(disposing);
    }

    private void Wake() => Interlocked.Exchange(ref _reader, null)?.SetResult();
}
