#!/usr/bin/env bash
# Runs the commands that docs/analysis.md shows in sh blocks, and those of README.md that begin with analysis, as they
# stand there, on small studies made by `analysis import`. No trainer is needed.
# Usage: analysis_commands.sh <source folder> <folder of the programs>
source "$(dirname "$0")/shown_commands.sh"

# Twelve models whose FID is 3 + 400 Gflops^-0.3 within a percent, scored at thirds of their training.
study() {
  awk 'BEGIN {
    print "depth,width,heads,patch,block,steps,global_batch,step,fid,loss,seconds"
    for (i = 0; i < 12; ++i) {
      depth = i % 2 ? 6 : 4; width = 32 * (1 + int(i / 2) % 3); patch = i < 6 ? 7 : 4
      gflops = depth * width * width * (28 / patch) ^ 2 * 12 / 1e9
      for (k = 1; k <= 3; ++k)
        printf "%d,%d,4,%d,adaln_zero,1500,64,%d,%.4f,%.4f,%d\n", depth, width, patch, 500 * k,
          (3 + 40 * gflops ^ -0.3) * (3 / k) ^ 0.2 * (1 + 0.01 * (i * 5 % 7 - 3)), 0.1 + 0.3 / sqrt(k), 100 + 10 * i
    }
  }'
}
study >study.csv
for database in fashion_mnist_demo my_study here; do
  mkdir -p "runs/$database"
  analysis import study.csv --db "runs/$database/results.db" --name "$database" --settings features=fashion_cnn
done

# Points of a law, and runs on a surface, which `import` and `fit --csv` read.
awk 'BEGIN { print "model,gflops,fid"; for (i = 0; i < 8; ++i) printf "m%d,%d,%.6f\n", i, 2 ^ i, 5 + 60 * (2 ^ i) ^ -0.4 * (1 + 0.01 * (i % 3 - 1)) }' >points.csv
surface() {
  awk 'BEGIN {
    print "parameters,tokens,loss,model,steps,global_batch,step,fid"
    split("S/2 S/4 S/8 B/2 B/4 B/8 L/2", models, " ")
    for (c = 18; c <= 20; ++c) for (k = -3; k <= 3; ++k) {
      n = 0.1 * 10 ^ (c / 2) * 2 ^ k; d = 10 ^ c / 6 / n; steps = 1000 * (c - 17)
      printf "%.6g,%.6g,%.6f,%s,%d,256,%d,%.3f\n", n, d, 1.69 + 406.4 * n ^ -0.34 + 410.7 * d ^ -0.28, models[k + 4],
        steps, steps, 20 + k + c
    }
  }'
}
surface >runs.csv
cp "$source_folder/tests/golden/paper_tables.json" tables.json

# Models scored with three numbers of samples, whose FID has a bias that goes as 1 / n.
awk 'BEGIN {
  print "depth,width,heads,patch,steps,num_samples,fid"
  for (i = 1; i <= 5; ++i) for (n = 500; n <= 2000; n *= 2)
    printf "4,%d,4,7,1500,%d,%.4f\n", 32 * i, n, 5 + 60 / sqrt(i) + 3000 * i / n
}' >samples.csv
analysis import samples.csv --db samples.db --settings features=fashion_cnn

take_commands 26 < <(commands_of docs/analysis.md; commands_of README.md | grep '^build/bin/analysis')
run_commands
ls figures/*.pdf for_the_paper/*.pdf runs/my_study/report.html exported/trials.csv both.db >/dev/null

# What cannot be written is an error, and a device stays one.
status=0
analysis trials --db both.db >/dev/full 2>full.txt || status=$?
[ "$status" = 1 ] && grep -q 'No space left on device' full.txt
analysis report --db both.db --out /dev/stdout | tail -c 100 | grep -q '</html>'
