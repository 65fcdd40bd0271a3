using System.Diagnostics.CodeAnalysis;

namespace Telemetry.Runtime;

/// <summary>
/// What waits for a thread of its own, in the order in which it came. Whoever has to wait sleeps at once: a
/// BlockingCollection yields the processor some hundred times first, which with a thread a gateway costs more than the
/// work. Any thread may call.
/// </summary>
/// <param name="capacity">So many items at most; the next <see cref="TryAdd"/> waits for room.</param>
public sealed class WorkQueue<T>(int capacity = int.MaxValue)
{
    private readonly Queue<T> _items = [];
    private bool _complete;

    /// <summary>Adds an item; false, and not added, after <see cref="Complete"/>.</summary>
    public bool TryAdd(T item)
    {
        lock (_items)
        {
            while (_items.Count >= capacity && !_complete)
            {
                Monitor.Wait(_items);
            }

            if (_complete)
            {
                return false;
            }

            _items.Enqueue(item);
            Monitor.PulseAll(_items);
            return true;
        }
    }

    /// <summary>Waits for the next item; false when it is complete and empty.</summary>
    public bool TryTake([MaybeNullWhen(false)] out T item)
    {
        lock (_items)
        {
            while (_items.Count == 0 && !_complete)
            {
                Monitor.Wait(_items);
            }

            if (!_items.TryDequeue(out item))
            {
                return false;
            }

            if (_items.Count == capacity - 1)
            {
                Monitor.PulseAll(_items);
            }

            return true;
        }
    }

    /// <summary>Nothing more comes: what waits is still taken.</summary>
    public void Complete()
    {
        lock (_items)
        {
            _complete = true;
            Monitor.PulseAll(_items);
        }
    }
}
