namespace Telemetry.Model.Schemas;

/// <summary>
/// A name, or a pattern in which <c>*</c> stands for any number of characters, including none. Case matters.
/// </summary>
public readonly record struct NamePattern(string Text)
{
    /// <summary>Matches every name.</summary>
    public static readonly NamePattern Any = new("*");

    /// <summary>True when the whole name matches. Takes at most (pattern length × name length) steps.</summary>
    public bool Fits(string name)
    {
        int at = 0, patternAt = 0;
        int star = -1, starAt = 0;
        while (at < name.Length)
        {
            if (patternAt < Text.Length && Text[patternAt] == '*')
            {
                (star, starAt) = (patternAt++, at);
            }
            else if (patternAt < Text.Length && Text[patternAt] == name[at])
            {
                patternAt++;
                at++;
            }
            else if (star >= 0)
            {
                // Let the last star take one more character; no earlier star ever needs to.
                patternAt = star + 1;
                at = ++starAt;
            }
            else
            {
                return false;
            }
        }

        while (patternAt < Text.Length && Text[patternAt] == '*')
        {
            patternAt++;
        }

        return patternAt == Text.Length;
    }

    /// <summary>The pattern.</summary>
    public override string ToString() => Text;
}
