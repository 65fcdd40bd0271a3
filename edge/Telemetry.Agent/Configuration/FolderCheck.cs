namespace Telemetry.Agent.Configuration;

/// <summary>
/// Says whether a file that an agent writes, and others beside it, can stand where the configuration puts it: makes an
/// empty file in its folder and deletes it at once.
/// </summary>
internal static class FolderCheck
{
    /// <summary>
    /// What is wrong with the folder of <paramref name="file"/>, beginning with the key; null when nothing is.
    /// </summary>
    public static string? Problem(string key, string file)
    {
        var path = Path.GetFullPath(file);
        var folder = Path.GetDirectoryName(path);
        if (folder is null || Directory.Exists(path))
        {
            return $"{key}: '{file}' is a folder";
        }

        if (!Directory.Exists(folder))
        {
            return $"{key}: the folder '{folder}' does not exist";
        }

        try
        {
            var probe = Path.Combine(folder, $".check-{Environment.ProcessId}");
            using (new FileStream(
                probe, FileMode.Create, FileAccess.Write, FileShare.None, 1, FileOptions.DeleteOnClose))
            {
            }

            if (File.Exists(path))
            {
                using var there = File.Open(path, FileMode.Open, FileAccess.ReadWrite, FileShare.ReadWrite);
            }

            return null;
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            return $"{key}: cannot write in '{folder}': {e.Message}";
        }
    }
}
