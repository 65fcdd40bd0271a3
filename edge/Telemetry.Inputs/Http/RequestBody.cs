using System.Buffers;

namespace Telemetry.Inputs.Http;

/// <summary>A body in memory, in a buffer from the pool that counts against the budget until it is disposed.</summary>
internal sealed class RequestBody(BodyBudget budget) : IDisposable
{
    private const int FirstBytes = 16 * 1024;

    private byte[] _buffer = [];

    public int Length { get; private set; }

    public ReadOnlyMemory<byte> Written => _buffer.AsMemory(0, Length);

    /// <summary>Where the next bytes go.</summary>
    public Memory<byte> Free => _buffer.AsMemory(Length);

    public void Advance(int bytes) => Length += bytes;

    /// <summary>
    /// Makes sure that there is room; <paramref name="bytesMax"/> is the most that it will ever need. False: over the
    /// budget.
    /// </summary>
    public bool TryMakeRoom(int bytesMax)
    {
        if (Length < _buffer.Length)
        {
            return true;
        }

        var size = (int)Math.Min(Math.Max(FirstBytes, (long)Length * 2), bytesMax);
        if (!budget.TryTake(size))
        {
            return false;
        }

        var larger = ArrayPool<byte>.Shared.Rent(size);
        budget.GiveBack(size - larger.Length);
        _buffer.AsSpan(0, Length).CopyTo(larger);
        Release();
        _buffer = larger;
        return true;
    }

    public void Dispose()
    {
        Release();
        _buffer = [];
        Length = 0;
    }

    private void Release()
    {
        if (_buffer.Length > 0)
        {
            budget.GiveBack(_buffer.Length);
            ArrayPool<byte>.Shared.Return(_buffer);
        }
    }
}
