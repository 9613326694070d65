use super::*;
#[test]
fn smoke() {
    let n = 5003;
    let mut s = 1u64;
    let mut r = || {
        s = s.wrapping_mul(6364136223846793005).wrapping_add(1442695040888963407);
        ((s >> 33) as f32 / 2f32.powi(31) - 0.5) * 20.0
    };
    let x: Vec<f32> = (0..n).map(|_| r()).collect();
    let y: Vec<f32> = x.iter().map(|v| v + r() * 0.02).collect();
    let f = |a: &[f32], b: &[f32]| {
        let l = |a: &[f32]| a.iter().map(|&v| f64::from(v).exp()).sum::<f64>().ln();
        let (la, lb) = (l(a), l(b));
        a.iter()
            .zip(b)
            .map(|(&p, &q)| (f64::from(p) - la).exp() * (f64::from(p) - la - f64::from(q) + lb))
            .sum::<f64>()
    };
    for k in Kernel::all() {
        let mut re = Reference::new(n);
        let st = *re.load(k, &x, 3).unwrap();
        println!("{} {:?} {:?}", k.name(), st, re.compare(k, &y).unwrap());
        println!("{:e} {:e}", f(&x, &y), f(&y, &x));
        let own = re.compare(k, &x).unwrap();
        assert_eq!((own.kld, own.reverse_kld, own.delta_p), (0.0, 0.0, 0.0));
    }
}
