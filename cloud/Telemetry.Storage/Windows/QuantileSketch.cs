namespace Telemetry.Storage.Windows;

/// <summary>
/// Counts values by buckets that grow by a constant factor, so that a quantile has at most 1 % of relative error. It
/// has at most <see cref="BucketsMax"/> buckets: where there would be more, each two neighbours become one, which about
/// doubles the error. Sketches merge in any order, also of different levels. Reusable: <see cref="Clear"/>.
/// <para>
/// Migrations/0012.sql reads and merges the bytes, and describes them.
/// </para>
/// </summary>
public sealed class QuantileSketch
{
    /// <summary>The most buckets.</summary>
    public const int BucketsMax = 256;

    /// <summary>The most bytes of a sketch: a level, and a key and a count for each bucket.</summary>
    public const int BytesMax = 1 + (BucketsMax * (3 + 5));

    /// <summary>What is nearer to zero counts as zero.</summary>
    private const double Least = 1e-300;

    private const int FirstBuckets = 8, KeyOfOne = 65_536;

    private static readonly double BucketsOfE = 1 / Math.Log(1.01 / 0.99);

    private int[] _keys = new int[FirstBuckets];
    private int[] _counts = new int[FirstBuckets];
    private int _last;

    /// <summary>How often neighbouring buckets became one.</summary>
    public int Level { get; private set; }

    /// <summary>The number of buckets.</summary>
    public int Buckets { get; private set; }

    /// <summary>Starts again; keeps the memory.</summary>
    public void Clear() => (Level, Buckets, _last) = (0, 0, 0);

    /// <summary>Adds a value that is not NaN.</summary>
    public void Add(double value)
    {
        var key = Coarser(KeyOf(value), Level);
        if (_last < Buckets && _keys[_last] == key)
        {
            _counts[_last]++;
        }
        else
        {
            Add(key, 1);
        }
    }

    /// <summary>Adds the values of another one.</summary>
    public void Merge(QuantileSketch other)
    {
        while (Level < other.Level)
        {
            Coarsen();
        }

        for (var i = 0; i < other.Buckets; i++)
        {
            Add(Coarser(other._keys[i], Level - other.Level), other._counts[i]);
        }
    }

    /// <summary>Writes the bytes; returns how many, at most <see cref="BytesMax"/>.</summary>
    public int WriteTo(Span<byte> to)
    {
        to[0] = (byte)Level;
        var (length, before) = (1, 0);
        for (var i = 0; i < Buckets; i++)
        {
            var step = _keys[i] - before;
            length += Varint(to[length..], (uint)((step << 1) ^ (step >> 31)));
            length += Varint(to[length..], (uint)_counts[i]);
            before = _keys[i];
        }

        return length;
    }

    private void Add(int key, int count)
    {
        var at = Array.BinarySearch(_keys, 0, Buckets, key);
        if (at < 0)
        {
            if (Buckets == BucketsMax)
            {
                Coarsen();
                Add(Coarser(key, 1), count);
                return;
            }

            Insert(~at, key);
            at = ~at;
        }

        _counts[at] += count;
        _last = at;
    }

    private void Insert(int at, int key)
    {
        if (Buckets == _keys.Length)
        {
            Array.Resize(ref _keys, Buckets * 2);
            Array.Resize(ref _counts, Buckets * 2);
        }

        _keys.AsSpan(at, Buckets - at).CopyTo(_keys.AsSpan(at + 1));
        _counts.AsSpan(at, Buckets - at).CopyTo(_counts.AsSpan(at + 1));
        (_keys[at], _counts[at]) = (key, 0);
        Buckets++;
    }

    // The keys stay in order, so that those which become one are side by side.
    private void Coarsen()
    {
        var buckets = 0;
        for (var i = 0; i < Buckets; i++)
        {
            var key = Coarser(_keys[i], 1);
            if (buckets > 0 && _keys[buckets - 1] == key)
            {
                _counts[buckets - 1] += _counts[i];
            }
            else
            {
                (_keys[buckets], _counts[buckets]) = (key, _counts[i]);
                buckets++;
            }
        }

        (Level, Buckets, _last) = (Level + 1, buckets, 0);
    }

    private static int KeyOf(double value)
    {
        var size = Math.Min(Math.Abs(value), double.MaxValue);
        if (size < Least)
        {
            return 0;
        }

        var key = (int)Math.Ceiling(Math.Log(size) * BucketsOfE) + KeyOfOne;
        return value < 0 ? -key : key;
    }

    // Half of the bucket's number, rounded up, for each level.
    private static int Coarser(int key, int levels)
    {
        if (levels == 0 || key == 0)
        {
            return key;
        }

        var bucket = Math.Abs(key) - KeyOfOne;
        var coarser = -(-bucket >> levels) + KeyOfOne;
        return key < 0 ? -coarser : coarser;
    }

    private static int Varint(Span<byte> to, uint value)
    {
        var length = 0;
        for (; value > 127; value >>= 7)
        {
            to[length++] = (byte)(value | 128);
        }

        to[length++] = (byte)value;
        return length;
    }
}
