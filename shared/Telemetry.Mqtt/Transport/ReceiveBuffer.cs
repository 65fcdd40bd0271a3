using System.Buffers;

namespace Telemetry.Mqtt.Transport;

/// <summary>
/// Received bytes that are no whole packet yet, in one piece. Grows by doubling as bytes really arrive, so a header
/// that
/// announces a large packet costs nothing; falls back to its first size when empty. Reading loop only.
/// </summary>
internal sealed class ReceiveBuffer
{
    private const int FirstBytes = 4 * 1024;
    private const int KeptBytes = 32 * 1024;

    private byte[] _bytes = new byte[FirstBytes];
    private int _start;
    private int _end;

    /// <summary>What has been received and not consumed.</summary>
    public ReadOnlySequence<byte> Received => new(_bytes, _start, _end - _start);

    public bool IsEmpty => _start == _end;

    /// <summary>Room for the next read, never empty.</summary>
    public Memory<byte> Room()
    {
        if (_start == _end)
        {
            _start = _end = 0;
            if (_bytes.Length > KeptBytes) _bytes = new byte[FirstBytes];
        }
        if (_end == _bytes.Length)
        {
            int length = _end - _start;
            var target = length > _bytes.Length / 2 ? GC.AllocateUninitializedArray<byte>(_bytes.Length * 2) : _bytes;
            _bytes.AsSpan(_start, length).CopyTo(target);
            (_bytes, _start, _end) = (target, 0, length);
        }
        return _bytes.AsMemory(_end);
    }

    public void Add(int bytes) => _end += bytes;

    /// <summary>Consumes all but the last <paramref name="left"/> bytes.</summary>
    public void KeepLast(long left) => _start = _end - (int)left;
}
