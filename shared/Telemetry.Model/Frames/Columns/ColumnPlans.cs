using Telemetry.Model.Readings;

namespace Telemetry.Model.Frames.Columns;

/// <summary>
/// How the last column of each series was put. A series tends to go on as it did: a writer that is given its plans puts
/// the next column the same way, and looks for the best one where that takes clearly more bits, and from time to time.
/// One object for each stream of frames that are alike, for one thread at a time; a reader needs none.
/// </summary>
public sealed class ColumnPlans
{
    private ColumnPlan[] _plans = [];

    /// <summary>That of a series by index; at first none.</summary>
    internal ref ColumnPlan this[int series]
    {
        get
        {
            if (series >= _plans.Length)
            {
                Array.Resize(ref _plans, Math.Max(16, 2 * series));
            }

            return ref _plans[series];
        }
    }
}

/// <summary>
/// How a column was put: as a plain one, or as a dictionary of one. What else it can be is known at a glance. A plan is
/// used as often as it has proven itself: each time that it is found best again about twice as often as before. One odd
/// column thus does not decide how many others are put.
/// </summary>
internal struct ColumnPlan
{
    /// <summary>So many columns are put by a plan at most before the best one is looked for again.</summary>
    private const int UsesMax = 15;

    /// <summary>
    /// So many by a new plan that is a dictionary, for to look for one again takes long; by a new plain one none.
    /// </summary>
    private const int FirstUsesOfDictionary = 3;

    /// <summary>It is for columns of as many values, or up to a quarter more or less.</summary>
    private const int CountPart = 4;

    /// <summary>
    /// A plain column may take an eighth more than the one before, and a few bits. A dictionary, whose size goes by how
    /// many distinct values there are by chance, half as much again.
    /// </summary>
    private const int PlainGrowth = 8, DictionaryGrowth = 2, GrowthBits = 4;

    private MetricType _type;
    private int _count, _usesLeft, _uses;
    private long _bits;

    /// <summary>True when it is a dictionary, whose distinct values are the plain column.</summary>
    public bool IsDictionary { get; private set; }

    /// <summary>The plain column's form.</summary>
    public PlainForm Form { get; private set; }

    /// <summary>The plain column's prediction.</summary>
    public PredictionKind Prediction { get; private set; }

    /// <summary>How many values were not on the plain column's scale.</summary>
    public int Exceptions { get; private set; }

    /// <summary>The prediction of a dictionary's places.</summary>
    public PredictionKind Places { get; private set; }

    /// <summary>True when a column of so many values may be put this way.</summary>
    public readonly bool Suits(int count, MetricType type) =>
        _usesLeft > 0 && _type == type && CountPart * Math.Abs(count - _count) <= _count;

    /// <summary>The bits of so many values, would they take as many each as those before.</summary>
    public readonly long Bits(int count) => _bits * count / _count;

    /// <summary>
    /// Takes over what a column takes that was put this way; false where that is too much. A plain column that takes
    /// far less may do with even less another way: it is the last one of its plan.
    /// </summary>
    public bool TryKeep(int count, long bits)
    {
        var expected = Bits(count);
        _usesLeft--;
        if (bits > expected + (expected / (IsDictionary ? DictionaryGrowth : PlainGrowth)) + GrowthBits)
        {
            return false;
        }

        _usesLeft = !IsDictionary && 4 * (bits + GrowthBits) < 3 * expected ? 0 : _usesLeft;
        (_count, _bits) = (count, bits);
        return true;
    }

    /// <summary>Takes what was found best: a plain column of so many bits.</summary>
    public void Take(PlainColumn plain, int count, MetricType type, long bits)
    {
        var isSame = !IsDictionary && _type == type
            && Form.Form == plain.Form.Form && Prediction == plain.Prediction.Kind;
        IsDictionary = false;
        Set(plain, count, type, bits, isSame ? MoreUses : 0);
    }

    /// <summary>Takes what was found best: a dictionary.</summary>
    public void TakeDictionary(PlainColumn entries, PredictionKind places, int count, MetricType type, long bits)
    {
        var isSame = IsDictionary && _type == type;
        (IsDictionary, Places) = (true, places);
        Set(entries, count, type, bits, isSame ? MoreUses : FirstUsesOfDictionary);
    }

    /// <summary>
    /// Takes that the dictionary is still better than plain values where it has grown; whether it is still the best
    /// dictionary is looked at after the next column.
    /// </summary>
    public void TakeGrown(PlainColumn entries, int count, long bits) => Set(entries, count, _type, bits, uses: 1);

    private readonly int MoreUses => Math.Min(UsesMax, (2 * _uses) + 1);

    private void Set(PlainColumn plain, int count, MetricType type, long bits, int uses)
    {
        (Form, Prediction, Exceptions) = (plain.Form, plain.Prediction.Kind, plain.Exceptions);
        (_count, _type, _bits) = (count, type, bits);
        _usesLeft = _uses = uses;
    }
}
