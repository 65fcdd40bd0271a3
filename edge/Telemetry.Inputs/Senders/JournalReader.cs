using System.Buffers.Binary;
using System.IO.Hashing;
using System.Runtime.InteropServices;
using System.Text;
using Telemetry.Model.Identity;

namespace Telemetry.Inputs.Senders;

/// <summary>Reads a sender's journal block by block, up to the first that is not whole. One thread at a time.</summary>
internal sealed class JournalReader : IDisposable
{
    private readonly FileStream _file;
    private byte[] _block = new byte[64 * 1024];

    /// <summary>Opens a journal; throws <see cref="InvalidDataException"/> when the file is not one.</summary>
    public JournalReader(string path)
    {
        _file = new FileStream(path, FileMode.Open, FileAccess.Read, FileShare.ReadWrite, bufferSize: 256 * 1024);
        try
        {
            Gateway = ReadHeader(path);
        }
        catch
        {
            _file.Dispose();
            throw;
        }
    }

    /// <summary>Whose readings they are.</summary>
    public GatewayId Gateway { get; }

    /// <summary>Where the last whole block that was read ends.</summary>
    public long Position { get; private set; } = JournalFormat.HeaderBytes;

    /// <summary>
    /// The next whole block; false at the end, or where a killed sender stopped in the middle of one.
    /// </summary>
    public bool TryRead(out JournalBlock block)
    {
        block = default;
        var head = _block.AsSpan(0, JournalFormat.BlockHeadBytes);
        if (_file.ReadAtLeast(head, head.Length, throwOnEndOfStream: false) < head.Length)
        {
            return false;
        }

        var kind = (JournalKind)head[0];
        var offer = BinaryPrimitives.ReadUInt32LittleEndian(head[1..]);
        var count = BinaryPrimitives.ReadUInt32LittleEndian(head[5..]);
        if (kind is < JournalKind.Attempted or > JournalKind.Refused || count > JournalFormat.CountMax)
        {
            return false;
        }

        var length = JournalFormat.BlockHeadBytes + ((int)count * JournalEntry.Bytes) + JournalFormat.ChecksumBytes;
        if (_block.Length < length)
        {
            Array.Resize(ref _block, length);
        }

        var rest = _block.AsSpan(JournalFormat.BlockHeadBytes, length - JournalFormat.BlockHeadBytes);
        var body = _block.AsSpan(0, length - JournalFormat.ChecksumBytes);
        if (_file.ReadAtLeast(rest, rest.Length, throwOnEndOfStream: false) < rest.Length
            || BinaryPrimitives.ReadUInt64LittleEndian(_block.AsSpan(body.Length)) != XxHash64.HashToUInt64(body))
        {
            return false;
        }

        Position += length;
        block = new JournalBlock(
            kind, offer, MemoryMarshal.Cast<byte, JournalEntry>(body[JournalFormat.BlockHeadBytes..]));
        return true;
    }

    public void Dispose() => _file.Dispose();

    private GatewayId ReadHeader(string path)
    {
        Span<byte> header = stackalloc byte[JournalFormat.HeaderBytes];
        if (_file.ReadAtLeast(header, header.Length, throwOnEndOfStream: false) < header.Length
            || !header.StartsWith(JournalFormat.Magic)
            || !GatewayId.TryParse(Encoding.ASCII.GetString(header[8..]).TrimEnd('\0'), out var gateway))
        {
            throw new InvalidDataException($"{path} is not a sender's journal: its header is missing or damaged.");
        }

        return gateway;
    }
}
