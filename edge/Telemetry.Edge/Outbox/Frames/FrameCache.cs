namespace Telemetry.Edge.Outbox.Frames;

/// <summary>
/// The bytes of the frames sealed last, so that sending them at once needs no read. At the limit the oldest are
/// removed.
/// </summary>
internal sealed class FrameCache(int bytesMax)
{
    private readonly Dictionary<FrameId, ReadOnlyMemory<byte>> _frames = [];
    private readonly Queue<FrameId> _oldest = new();
    private int _bytes;

    public bool TryGet(FrameId id, out ReadOnlyMemory<byte> bytes) => _frames.TryGetValue(id, out bytes);

    public void Add(FrameId id, ReadOnlyMemory<byte> bytes)
    {
        Remove(id);
        _frames.Add(id, bytes);
        _oldest.Enqueue(id);
        _bytes += bytes.Length;
        while (_bytes > bytesMax)
        {
            Remove(_oldest.Dequeue());
        }

        // Frames that were removed early are still in the queue; it must not become much longer than the list of
        // frames.
        while (_oldest.Count > 64 + (2 * _frames.Count))
        {
            Remove(_oldest.Dequeue());
        }
    }

    public void Remove(FrameId id)
    {
        if (_frames.Remove(id, out var bytes))
        {
            _bytes -= bytes.Length;
        }
    }
}
