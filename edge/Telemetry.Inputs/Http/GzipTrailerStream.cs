using System.Buffers.Binary;
using System.IO.Hashing;

namespace Telemetry.Inputs.Http;

/// <summary>
/// Reads through, and remembers the last eight bytes: of a gzip body its CRC-32 and its length (RFC 1952, 2.3.1).
/// GZipStream takes a body that was cut for one that has ended; these eight bytes tell.
/// </summary>
internal sealed class GzipTrailerStream(Stream source) : Stream
{
    private const int TailBytes = 8;

    private readonly byte[] _tail = new byte[TailBytes];

    public override bool CanRead => true;

    public override bool CanSeek => false;

    public override bool CanWrite => false;

    public override long Length => throw new NotSupportedException();

    public override long Position
    {
        get => throw new NotSupportedException();
        set => throw new NotSupportedException();
    }

    /// <summary>
    /// Reads what is left, and says whether the tail is that of <paramref name="inflated"/> as one gzip member.
    /// </summary>
    public async ValueTask<bool> EndsAsync(ReadOnlyMemory<byte> inflated, CancellationToken cancellationToken)
    {
        var rest = new byte[256];
        while (await ReadAsync(rest, cancellationToken) > 0)
        {
        }

        return BinaryPrimitives.ReadUInt32LittleEndian(_tail) == Crc32.HashToUInt32(inflated.Span)
            && BinaryPrimitives.ReadUInt32LittleEndian(_tail.AsSpan(4)) == (uint)inflated.Length;
    }

    public override async ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken = default)
    {
        var read = await source.ReadAsync(buffer, cancellationToken);
        var last = buffer.Span[..read];
        last = last[^Math.Min(read, TailBytes)..];
        _tail.AsSpan(last.Length).CopyTo(_tail);
        last.CopyTo(_tail.AsSpan(TailBytes - last.Length));
        return read;
    }

    public override int Read(byte[] buffer, int offset, int count) => throw new NotSupportedException();

    public override void Flush() => throw new NotSupportedException();

    public override long Seek(long offset, SeekOrigin origin) => throw new NotSupportedException();

    public override void SetLength(long value) => throw new NotSupportedException();

    public override void Write(byte[] buffer, int offset, int count) => throw new NotSupportedException();
}
